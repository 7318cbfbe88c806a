"""Direction: one unit vector that points from one class of vectors to another, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.blocks import Block, Fact, Facts, Heading, Text
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.core.result import Result
from workbench.core.vectors import require_finite

_UNIT = 1e-3
"""A row whose length is this near to 1 counts as normalised."""


@dataclass(frozen=True)
class RandomTest:
    """A direction against `draws` directions that were trained in the same way on permuted labels (Kim et al. 2018).

    All are scored on the held-out items under their true labels. p-values are two-sided, by rank, the direction itself
    among them: the least is 1 / (draws + 1).
    """

    draws: int
    accuracy: Estimate
    """Share of held-out items that the direction's probe puts into the right class."""
    random_accuracy: float
    """Mean of the random directions."""
    p_accuracy: float
    gap: float
    """Distance of the held-out classes' means along the direction, in standard deviations within the classes."""
    random_gap: float
    """Mean size (absolute value) of the random directions'."""
    p_gap: float


@dataclass(frozen=True, eq=False)
class Direction(Result):
    """A unit vector from the `negative` to the `positive` class, in the space of the vectors as they are given.

    `offset` is where the middle between both class means projects, `scale` the distance of the means along the vector;
    both from the `train` items. `auc` is measured on `test` items that were not learnt from.

    `vector` (d,) is all that attribution needs: `attributor.toward(text, direction.vector, about=direction.name)` says
    which words of a text push it along.
    """

    name: str
    method: str
    positive: str
    negative: str
    vector: Float[np.ndarray, " d"]
    offset: float
    scale: float
    auc: Estimate
    train: int
    test: int
    random_test: RandomTest | None = None
    """None for methods that make no such test."""
    left_out: str = ""
    """How many rows had no label, in words; empty where all had one."""

    def __post_init__(self) -> None:
        length = float(np.linalg.norm(self.vector))
        if self.vector.ndim != 1 or not abs(length - 1) < 1e-6:
            raise BadInput(f"vector has shape {self.vector.shape} and length {length:.6g}; expected (d,) and length 1")
        if not (np.isfinite(self.offset) and np.isfinite(self.scale) and self.scale > 0):
            raise BadInput(f"offset is {self.offset} and scale {self.scale}; expected finite, and a scale above 0")

    @property
    def p_value(self) -> float | None:
        """p of the class gap against random directions; None where that was not tested."""
        return None if self.random_test is None else self.random_test.p_gap

    def project(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Lengths of the vectors along the direction; linear. Raises BadInput for another dimension or NaN."""
        return self._checked(vectors) @ self.vector

    def place(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Where vectors stand between the classes, in class gaps: -1/2 is the negative class' mean, 1/2 the other's."""
        return (self.project(vectors) - self.offset) / self.scale

    def steer(self, vectors: Float[np.ndarray, "n d"], amount: float) -> Float[np.ndarray, "n d"]:
        """Vectors moved by `amount` class gaps; 1 carries the mean of the negative class onto the positive's.

        Rows that came with length 1 (to a thousandth) are brought back to length 1, since searching and inverting
        expect it; they then move by less than `amount`. Other rows are left where the step takes them.
        """
        table = self._checked(vectors)
        if not np.isfinite(amount):
            raise BadInput(f"amount is {amount}; expected a finite number of class gaps")
        moved = table + amount * self.scale * self.vector
        unit = np.abs(np.linalg.norm(table, axis=1) - 1) < _UNIT
        lengths = np.linalg.norm(moved, axis=1)
        moved[unit] /= np.maximum(lengths[unit], 1e-12)[:, None]
        return moved.astype(np.asarray(vectors).dtype)

    def setting(self) -> str:
        """What it is and how it was measured, in words."""
        return (
            f"From {self.negative} to {self.positive}, by {self.method}, from {self.train:,} items; the AUC is of "
            f"{self.test:,} items that it was not made from, with its 95% interval."
        )

    def verdict(self) -> Text:
        """Whether the direction is more than chance."""
        test = self.random_test
        if test is None:
            return Text("Not tested against random directions; `cav` does that.", "warn")
        told = (
            f"Held-out accuracy {test.accuracy.text()} against {test.random_accuracy:.3f} of {test.draws} directions "
            f"from permuted labels (p = {test.p_accuracy:.3f}); class gap {test.gap:.2f} standard deviations against "
            f"{test.random_gap:.2f} (p = {test.p_gap:.3f}). Two-sided, by rank; the least p is "
            f"{1 / (test.draws + 1):.3f}."
        )
        return Text(told, "good" if test.p_gap < 0.05 else "bad")

    def blocks(self) -> tuple[Block, ...]:
        """Headline numbers, setting, verdict."""
        facts = (
            Fact("held-out AUC", f"{self.auc.value:.2f}", f"{self.auc.interval()}, n = {self.test:,}"),
            Fact("class gap", f"{self.scale:.3g}", "along the direction"),
            Fact("p", "not tested" if self.p_value is None else f"{self.p_value:.3f}", "against random directions"),
        )
        left_out = (Text(self.left_out, "warn"),) if self.left_out else ()
        return (Heading(f"Direction: {self.name}"), Facts(facts), Text(self.setting()), *left_out, self.verdict())

    def _checked(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        table = np.asarray(vectors, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(self.vector):
            raise BadInput(f"vectors has shape {table.shape}; expected (n, {len(self.vector)}) as the direction has")
        require_finite(table)
        return table
