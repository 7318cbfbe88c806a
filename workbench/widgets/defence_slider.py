"""A defence and how strong it is: what attackers still read, against what the vectors are still good for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets

from workbench.core.blocks import Block, Cell, Heading, Table, Text
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.results import DefenceScores
from workbench.results.defences import NONE
from workbench.widgets._answers import Progress
from workbench.widgets._packing import pack
from workbench.widgets._widget import Widget, require

Strength = float | int | str


@dataclass(frozen=True)
class DefencePoint:
    """One method at one strength. `utility` grows with what is kept; `static` and `adaptive` with what is read.

    A static attacker never saw a defended vector; an adaptive one was trained anew on them. All three are shares
    between 0 and 1. The method "none" is the undefended vectors. `detail` is plain text.
    """

    method: str
    strength: Strength
    utility: Estimate
    static: Estimate
    adaptive: Estimate
    detail: str = ""


class DefenceSlider(Widget):
    """Leakage against utility, one point a strength, with the prior as the floor under all leakage.

    `rows` are a `DefenceScores` (utility is its nDCG@10, or else the neighbours kept; adaptive is its worst attack) or
    points. `measure(method, strength)` returns the point of a strength among `strengths[method]` that has no row yet,
    when the slider comes to it; it may be a generator that yields `Progress` before. Numbers stand in ascending order
    on the slider, other strengths as they are given. An exported page has measured, beforehand, what was missing.
    The widget says in words what is wrong: nothing to show, two rows for one strength, no intervals.
    """

    _script = "defence_slider.js"
    method = traitlets.Unicode().tag(sync=True)
    """The defence that is shown."""
    step = traitlets.Int(0).tag(sync=True)
    """Which of its strengths."""
    measured = traitlets.Dict().tag(sync=True)
    """Points that `measure` gave, by method and place: `0.3` is the fourth strength of the first method."""

    def __init__(
        self,
        rows: DefenceScores | Sequence[DefencePoint] = (),
        measure: Callable[[str, Any], Any] | None = None,
        strengths: Mapping[str, Sequence[Strength]] | None = None,
        prior: Estimate | None = None,
        *,
        utility: str = "utility",
        leakage: str = "what an attacker reads",
        title: str = "Leakage against utility",
    ) -> None:
        super().__init__()
        self._measure = measure
        self.answers(measure=None if measure is None else self._asked)
        with self.filling() as content:
            if isinstance(rows, DefenceScores):
                prior = rows.prior if prior is None else prior
                utility, leakage = _names(rows)
                rows = _points(rows)
            if prior is not None:
                _require_estimate(prior, "prior")
            points = _checked(rows)
            self._grid = _grid(points, strengths or {})
            if not self._grid:
                raise BadInput("there is nothing to show: expected rows, or measure with strengths")
            if measure is None and (gap := next((key for key in self._pairs() if key not in points), None)):
                raise BadInput(f"nobody measures {gap[0]} at {gap[1]}: hand over its row, or measure")
            self._points, self._prior, self._title = points, prior, title
            self._words = (utility, leakage)
            self.method = next(iter(self._grid))
            content.update(
                title=title,
                utility=utility,
                leakage=leakage,
                prior=prior,
                undefended=next((point for point in points.values() if point.method == NONE), None),
                methods=[
                    {
                        "name": name,
                        "strengths": [str(each) for each in places],
                        "points": [points.get((name, str(each))) for each in places],
                    }
                    for name, places in self._grid.items()
                ],
            )

    def requests(self) -> Iterator[tuple[str, Any]]:
        """Everything that has no row yet."""
        for i, (name, places) in enumerate(self._grid.items()):
            for j, strength in enumerate(places):
                if (name, str(strength)) not in self._points:
                    yield "measure", [i, j]

    def blocks(self) -> tuple[Block, ...]:
        """All points that are known, and the prior."""
        order = [*(key for key in self._points if key[0] == NONE and NONE not in self._grid), *self._pairs()]
        found = [self._points[key] for key in order if key in self._points]
        rows: list[tuple[Cell, ...]] = [(p.method, str(p.strength), p.utility, p.static, p.adaptive) for p in found]
        if self._prior is not None:
            rows.append(("prior", "", None, self._prior, self._prior))
        columns = ("defence", "strength", f"utility: {self._words[0]}", "static attacker", "adaptive attacker")
        note = f"Leakage is {self._words[1]}; a static attacker alone proves nothing."
        return (Heading(self._title), Text(note), Table(columns, tuple(rows)))

    def _pairs(self) -> Iterator[tuple[str, str]]:
        return ((name, str(strength)) for name, places in self._grid.items() for strength in places)

    def _asked(self, payload: Any) -> Iterator[Any]:
        match payload:
            case [int(i), int(j)] if 0 <= i < len(self._grid) and 0 <= j < len(list(self._grid.values())[i]):
                name, places = list(self._grid.items())[i]
            case _:
                raise BadInput(f"{payload!r} is no method and strength of this widget")
        key = (name, str(places[j]))
        if key not in self._points:
            assert self._measure is not None
            found = self._measure(name, places[j])
            point = None
            for item in found if isinstance(found, Iterator) else (found,):
                if isinstance(item, Progress):
                    yield item
                else:
                    point = item
            require(point, DefencePoint, f"what measure({name!r}, {places[j]!r}) returned")
            assert isinstance(point, DefencePoint)
            _require_estimates(point, "measure's point")
            self._points[key] = point
        packed = pack(self._points[key])
        self.measured = {**self.measured, f"{i}.{j}": packed}
        yield packed


def _names(scores: DefenceScores) -> tuple[str, str]:
    searched = all(row.ndcg for row in scores.rows)
    return "nDCG@10" if searched else "neighbours kept", f"accuracy for {scores.attribute}"


def _points(scores: DefenceScores) -> list[DefencePoint]:
    searched = all(row.ndcg for row in scores.rows)
    out = []
    for row in scores.rows:
        whole, _, options = row.defence.partition("?")
        name, _, strength = whole.partition(":")
        method = f"{name}?{options}" if options else name
        utility = row.ndcg if searched and row.ndcg else row.neighbours
        facts = "; ".join(f"{key}: {value}" for key, value in row.facts)
        detail = f"Adaptive is the worst attack, {row.worst.name}. {facts}"
        out.append(
            DefencePoint(method, strength or "as it is", utility, row.static.accuracy, row.worst.accuracy, detail)
        )
    return out


def _checked(rows: Any) -> dict[tuple[str, str], DefencePoint]:
    require(rows, (list, tuple), "rows")
    found: dict[tuple[str, str], DefencePoint] = {}
    for place, point in enumerate(rows):
        require(point, DefencePoint, f"rows[{place}]")
        _require_estimates(point, f"rows[{place}]")
        key = (point.method, str(point.strength))
        if key in found:
            raise BadInput(f"rows[{place}] is {point.method} at {point.strength}, which is there twice")
        found[key] = point
    return found


def _require_estimates(point: DefencePoint, where: str) -> None:
    for name in ("utility", "static", "adaptive"):
        _require_estimate(getattr(point, name), f"{name} of {where}")


def _require_estimate(value: Any, name: str) -> None:
    require(value, Estimate, name)
    limits = [value.low, value.high] if value.has_interval else []
    if not np.isfinite([value.value, *limits]).all() or np.isnan([value.low, value.high]).any():
        raise BadInput(f"{name} is {value}; expected finite numbers")


def _grid(
    points: Mapping[tuple[str, str], DefencePoint], strengths: Mapping[str, Sequence[Strength]]
) -> dict[str, list[Strength]]:
    """Strengths of each method as they stand on the slider; the undefended vectors are no method unless alone."""
    found: dict[str, dict[str, Strength]] = {}
    for point in points.values():
        found.setdefault(point.method, {})[str(point.strength)] = point.strength
    for name, places in strengths.items():
        for strength in places:
            found.setdefault(name, {}).setdefault(str(strength), strength)
    if len(found) > 1:
        found.pop(NONE, None)
    return {name: _ordered(list(places.values())) for name, places in found.items() if places}


def _ordered(places: list[Strength]) -> list[Strength]:
    try:
        return sorted(places, key=float)
    except ValueError:
        return places
