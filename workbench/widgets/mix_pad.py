"""Two vectors mixed: what stands between A and B, and what A has that B has not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import traitlets
from jaxtyping import Float

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.widgets._moved import MovedWidget, one_row
from workbench.widgets._said import One

_OPPOSITE, _EQUAL = -1 + 1e-6, 1 - 1e-9
"""Cosines below which there is no one way from A to B, and above which nothing is left of their difference."""
A_B, B_A = "A-B", "B-A"


class MixPad(MovedWidget):
    """A slider from vector A to vector B, and their differences, with what `neighbours` and `explain` say of each.

    `a` and `b` are arrays of shape (d,) or sets of one row, whose texts are put beside. The mixtures stand on the great
    circle from A to B, in `steps` even steps of the angle, and have lengths between those of A and B; A - B is the
    difference of the unit vectors, brought to the mean length. For `neighbours` and `explain`, which get an
    `EmbeddingSet` of one row without its text, see `MovedWidget`. An exported page holds the answers of every step.
    Cosines are without unit. The widget says in words what is wrong: shapes that differ, opposite vectors.
    """

    _script = "mix_pad.js"
    position = traitlets.Unicode("0").tag(sync=True)
    """Step that is shown, "0" to `steps - 1`, or "A-B" or "B-A"."""

    def __init__(
        self,
        a: np.ndarray | EmbeddingSet,
        b: np.ndarray | EmbeddingSet,
        neighbours: EmbeddingSet | One | None = None,
        explain: One | None = None,
        steps: int = 11,
        names: tuple[str, str] = ("A", "B"),
        title: str = "Between two vectors",
    ) -> None:
        super().__init__(neighbours, explain)
        with self.filling() as content:
            (left, text_a), (right, text_b) = one_row(a, "a"), one_row(b, "b")
            if left.shape != right.shape:
                raise BadInput(f"a has shape {left.shape} but b {right.shape}; expected vectors of one embedder")
            if not 2 <= steps <= 101:
                raise BadInput(f"steps is {steps}; expected 2 to 101")
            self._check_callables(len(left))
            self._title, self._names, self._steps = title, (str(names[0]), str(names[1])), steps
            self._texts = (text_a, text_b)
            self._vectors = _places(left, right, steps)
            ends = np.stack([left / np.linalg.norm(left), right / np.linalg.norm(right)])
            self._cosines = {name: ends @ (vector / np.linalg.norm(vector)) for name, vector in self._vectors.items()}
            self._cosine = float(ends[0] @ ends[1])
            content.update(
                title=title,
                names=list(self._names),
                texts=list(self._texts),
                cosine=self._cosine,
                path=np.array([self._cosines[str(step)] for step in range(steps)]),
                differences={name: list(self._cosines[name]) for name in (A_B, B_A) if name in self._cosines},
            )

    def requests(self) -> Iterator[tuple[str, Any]]:
        """Both ends and the middle, the differences, then all other steps."""
        last = self._steps - 1
        wanted = [self.position, "0", str(last), str(last // 2), A_B, B_A, *self._vectors]
        for name in dict.fromkeys(wanted):
            if name in self._vectors:
                yield from (("near", name), ("explain", name))

    def blocks(self) -> tuple[Block, ...]:
        """Cosines of every step, and what was said of those that were asked."""
        rows = []
        for name in self._vectors:
            said, near = self._answered("explain", name), self._answered("near", name)
            nearest = near["texts"][0] if near and near["texts"] else ""
            rows.append((self._place(name), *map(float, self._cosines[name]), said["text"] if said else "", nearest))
        columns = ("place", f"cosine to {self._names[0]}", f"cosine to {self._names[1]}", "said of it", "nearest")
        kept = [place for place in range(len(columns)) if any(row[place] != "" for row in rows)]
        table = Table(
            tuple(columns[place] for place in kept), tuple(tuple(row[place] for place in kept) for row in rows)
        )
        ends = zip(self._names, self._texts, strict=True)
        texts = tuple(Text(f"{name}: {text}") for name, text in ends if text)
        return (Heading(self._title), Facts((Fact("cosine of the two", f"{self._cosine:.3f}"),)), *texts, table)

    def _place(self, name: str) -> str:
        if name in (A_B, B_A):
            return " - ".join(self._names if name == A_B else self._names[::-1])
        share = round(100 * int(name) / (self._steps - 1))
        return f"{100 - share}% {self._names[0]}, {share}% {self._names[1]}"

    def _at(self, payload: Any) -> EmbeddingSet:
        if not isinstance(payload, str) or payload not in self._vectors:
            raise BadInput(f"place {payload!r} is not of this pad; expected 0 to {self._steps - 1}, {A_B} or {B_A}")
        return EmbeddingSet(np.array([self._place(payload)], object), self._vectors[payload][None])


def _places(a: Float[np.ndarray, " d"], b: Float[np.ndarray, " d"], steps: int) -> dict[str, Float[np.ndarray, " d"]]:
    """Every place by its name; without the differences where A and B point the same way."""
    long_a, long_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    first, last = a / long_a, b / long_b
    cosine = float(first @ last)
    if cosine < _OPPOSITE:
        raise BadInput("a and b are opposite: there is no one way between them")
    shares = np.linspace(0, 1, steps)
    angle = float(np.arccos(min(cosine, 1.0)))
    turn = np.sin(angle)
    places = {}
    for step, share in enumerate(shares):
        mixed = (
            (1 - share) * first + share * last
            if turn < 1e-6
            else (np.sin((1 - share) * angle) * first + np.sin(share * angle) * last) / turn
        )
        places[str(step)] = mixed * ((1 - share) * long_a + share * long_b)
    if cosine < _EQUAL:
        rest = (first - last) / np.linalg.norm(first - last) * (long_a + long_b) / 2
        places |= {A_B: rest, B_A: -rest}
    return places
