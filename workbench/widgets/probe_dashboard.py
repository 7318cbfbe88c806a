"""What probes read from vectors, task by task, beside their floors; and a vector pushed along a direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import traitlets

from workbench.core.blocks import Block, Heading, Text
from workbench.core.claims import LEVEL
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.core.tables import is_table
from workbench.core.vectors import unit
from workbench.results import Direction, ProbeScores, TaskScores
from workbench.widgets._moved import MovedWidget
from workbench.widgets._said import One
from workbench.widgets._widget import require

AMOUNTS = tuple(float(amount) for amount in np.linspace(-2, 2, 17))
"""Positions of the slider, in class gaps."""
_ROWS = 500
"""Vectors that can be chosen to be moved."""
_SERIES = ("score", "tfidf", "random_encoder", "control", "majority", "mlp")
_OTHERS = ("balanced", "macro_f1", "auc", "r2")
_NUMBERS = ("chance", "control_chance", "train", "test", "groups", "compression")


class ProbeDashboard(MovedWidget):
    """A `ProbeScores` as dots with intervals, to sort and filter; and vectors to move along `directions`.

    A task's row holds its score, TF-IDF, the untrained twin, the control task, and the selectivity; a click opens all
    that was measured. `directions` are one or more `Direction` results in the space of `vectors`, whose rows (up to
    500) can be chosen and moved by `amounts` of class gaps, as `Direction.steer` does: where the moved vector stands
    between both classes is drawn, and what `neighbours` and `explain` say of it is asked (`MovedWidget`). An exported
    page holds the answers of all amounts for the chosen vector and direction, then for others, while states last.
    The widget says in words what is wrong: no rows, a direction of another dimension, vectors without a direction.
    """

    _script = "probe_dashboard.js"
    task = traitlets.Unicode().tag(sync=True)
    """`task | embedder` of the open row; empty if none is."""
    sort = traitlets.Enum(("score", "selectivity", "over TF-IDF", "over untrained", "name"), "score").tag(sync=True)
    """What rows are sorted by, the largest first; names from A to Z."""
    embedder = traitlets.Unicode().tag(sync=True)
    """The embedder whose rows are shown; empty for all."""
    direction = traitlets.Int(0).tag(sync=True)
    """Which of the directions is shown."""
    row = traitlets.Int(0).tag(sync=True)
    """Which of the vectors is moved."""
    step = traitlets.Int(0).tag(sync=True)
    """Which of the amounts it is moved by; where the vector was at first unless another is chosen."""

    def __init__(
        self,
        scores: ProbeScores,
        directions: Direction | Sequence[Direction] = (),
        vectors: SetLike = None,
        *,
        neighbours: SetLike | One | None = None,
        explain: One | None = None,
        amounts: Sequence[float] = AMOUNTS,
        title: str = "What probes read from the vectors",
    ) -> None:
        super().__init__(neighbours, explain)
        with self.filling() as content:
            require(scores, ProbeScores, "scores")
            if not scores.rows:
                raise BadInput("scores holds no rows; expected at least one task")
            vectors = EmbeddingSet.of(vectors) if is_table(vectors) else vectors
            self._scores, self._title, self._vectors = scores, title, vectors
            self._directions = [directions] if isinstance(directions, Direction) else directions
            self._amounts = _checked(self._directions, vectors, amounts)
            self._check_callables(vectors.dim if vectors is not None else 0)
            self.step = int(np.argmin(np.abs(self._amounts)))
            content.update(
                title=title,
                setting=scores.setting(),
                level=LEVEL,
                rows=_rows(scores),
                embedders=list(scores.embedders),
                failures=[list(pair) for pair in scores.failures],
                moves=None if vectors is None else self._moves(vectors),
            )

    def requests(self) -> Iterator[tuple[str, Any]]:
        """All amounts of the chosen vector along the chosen direction, then along the others, then other vectors."""
        if self._vectors is None:
            return
        rows, ways = range(min(_ROWS, len(self._vectors))), range(len(self._directions))
        order = sorted(range(len(self._amounts)), key=lambda step: abs(self._amounts[step]))
        for row in dict.fromkeys([self.row, *rows]):
            for way in dict.fromkeys([self.direction, *ways]):
                if row in rows and way in ways:
                    yield from ((channel, [way, row, step]) for step in order for channel in ("near", "explain"))

    def blocks(self) -> tuple[Block, ...]:
        """The tables of the result, and its directions."""
        found = self._scores
        directions = tuple(block for each in self._directions for block in each.blocks())
        return (Heading(self._title), Text(found.setting()), found.matrix(), found.table(), *directions)

    def _moves(self, vectors: EmbeddingSet) -> dict[str, Any]:
        some = vectors.select(slice(_ROWS))
        start = unit(some.vectors)
        places, kept = [], []
        for way in self._directions:
            moved = [way.steer(some.vectors, amount) for amount in self._amounts]
            places.append([way.place(each) for each in moved])
            kept.append([(unit(each) * start).sum(1) for each in moved])
        return {
            "directions": [_way(way) for way in self._directions],
            "names": [str(name)[:200] for name in (some.ids if some.texts is None else some.texts)],
            "amounts": list(self._amounts),
            # direction, amount, vector
            "places": np.array(places),
            "cosines": np.array(kept),
        }

    def _at(self, payload: Any) -> EmbeddingSet:
        match payload:
            case [int(way), int(row), int(step)] if self._vectors is not None and (
                0 <= way < len(self._directions)
                and 0 <= row < min(_ROWS, len(self._vectors))
                and 0 <= step < len(self._amounts)
            ):
                one = self._vectors.select([row]).without_texts()
                moved = self._directions[way].steer(one.vectors, self._amounts[step])
                return EmbeddingSet(one.ids, moved, provenance=one.provenance)
            case _:
                raise BadInput(f"{payload!r} is no direction, vector and amount of this dashboard")


def _checked(directions: Any, vectors: EmbeddingSet | None, amounts: Sequence[float]) -> tuple[float, ...]:
    require(directions, (list, tuple), "directions")
    for place, way in enumerate(directions):
        require(way, Direction, f"directions[{place}]")
    if vectors is None:
        if directions:
            raise BadInput("directions were given without vectors; expected an EmbeddingSet whose rows can be moved")
        return (0.0,)
    require(vectors, EmbeddingSet, "vectors")
    if not directions:
        raise BadInput("vectors were given without a direction to move them along")
    for way in directions:
        if len(way.vector) != vectors.dim:
            raise BadInput(f"direction {way.name!r} has {len(way.vector)} dimensions, vectors have {vectors.dim}")
    found = tuple(sorted({float(amount) for amount in amounts}))
    if not found or not np.isfinite(found).all():
        raise BadInput(f"amounts is {amounts!r}; expected finite numbers of class gaps")
    return found


def _way(way: Direction) -> dict[str, Any]:
    told = {"name": way.name, "method": way.method, "positive": way.positive, "negative": way.negative}
    return {**told, "auc": asdict(way.auc), "verdict": way.verdict().text, "tone": way.verdict().tone}


def _rows(scores: ProbeScores) -> list[dict[str, Any]]:
    better: dict[tuple[str, str], list[str]] = {}
    for row, gain, p in scores.claims():
        if p < LEVEL:
            better.setdefault((row.task, row.embedder), []).append(gain.over)
    return [_row(row, better.get((row.task, row.embedder), [])) for row in scores.rows]


def _row(row: TaskScores, better: list[str]) -> dict[str, Any]:
    return {
        "task": row.label,
        "embedder": row.embedder,
        "family": row.family,
        "classes": len(row.classes),
        "better": better,
        "selectivity": row.selectivity,
        **{name: getattr(row, name) for name in (*_SERIES, *_OTHERS, *_NUMBERS)},
        "curve": [[items, estimate] for items, estimate in row.curve],
        "layers": [[layer, estimate] for layer, estimate in row.layers],
    }
