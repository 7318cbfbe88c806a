"""AttributeInference: what an insider with some labels reads of the others, beyond what needs no vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.claims import LEVEL, holm
from workbench.core.curves import Curve, Curves
from workbench.core.estimate import Estimate
from workbench.core.result import Result
from workbench.results.probe_scores import Gain

C = TypeVar("C")
PRIOR, SIDE = "the prior", "side information"


@dataclass(frozen=True)
class AttributeScores:
    """One attribute. Advantage is (accuracy - prior) / (1 - prior): 0 for the most frequent class, 1 for no error."""

    label: str
    classes: int
    """How many; their names stay with the store."""
    learnt: int
    """Rows whose label the insider has."""
    test: int
    groups: int
    prior: Estimate
    """Accuracy of always saying the most frequent class."""
    side: Estimate | None
    """Accuracy from the other label columns alone; None where there are none."""
    vectors: Estimate
    """Accuracy from the vectors alone."""
    both: Estimate | None
    """Accuracy from vectors and side information."""
    balanced: Estimate
    """Mean recall of the classes, from the vectors alone; 1 / k for any constant answer."""
    advantage: Estimate
    """Of the vectors alone."""
    side_advantage: Estimate | None
    excess: Estimate
    """Accuracy that vectors add to the side information on the same rows, or to the prior where there is none."""
    gains: tuple[Gain, ...]
    """Of the vectors alone over the prior, and of both over the side information, with p-values."""
    curve: tuple[tuple[int, Estimate], ...] = ()
    """Advantage by the number of labelled vectors."""


@dataclass(frozen=True)
class AttributeInference(Result):
    """Attributes of one store. Claims are adjusted by Holm over all of them."""

    rows: tuple[AttributeScores, ...]
    side_columns: tuple[str, ...]
    """Label columns that the side information may come from; an attribute is never told from its own column."""
    draws: int
    """Random choices of labelled vectors that a point of the curve is the mean of."""
    seconds: float
    left_out: tuple[str, ...] = ()
    """Attributes that some rows have no value of, and how many, in words."""

    def claims(self) -> tuple[tuple[AttributeScores, Gain, float], ...]:
        """Every comparison with its adjusted p-value."""
        found = [(row, gain) for row in self.rows for gain in row.gains]
        adjusted = holm([gain.p for _, gain in found])
        return tuple((row, gain, p) for (row, gain), p in zip(found, adjusted, strict=True))

    def leaks(self) -> tuple[str, ...]:
        """Attributes that the vectors tell beyond the side information, or beyond the prior where there is none."""
        return tuple(row.label for row, gain, p in self.claims() if gain is row.gains[-1] and p < LEVEL)

    def table(self) -> Table:
        """An attribute a row: accuracies from less to more, and what the vectors add."""
        names = ("attribute", "classes", "prior", "side information", "vectors", "both", "vectors add", "Holm p")
        p = {row.label: p for row, gain, p in self.claims() if gain is row.gains[-1]}
        rows = tuple(
            (r.label, r.classes, r.prior, r.side, r.vectors, r.both, r.excess, f"{p[r.label]:.4f}") for r in self.rows
        )
        if not self.side_columns:  # then no row has a number from them
            names, rows = _without(names, (3, 5)), tuple(_without(row, (3, 5)) for row in rows)
        leaks = self.leaks()
        strong = tuple(place for place, row in enumerate(self.rows) if row.label in leaks)
        return Table(names, rows, "Accuracy on rows whose label is hidden", strong)

    def advantages(self) -> Table:
        """Advantage over the prior, and balanced accuracy."""
        names = ("attribute", "advantage, vectors", "advantage, side information", "balanced accuracy", "chance")
        rows = tuple((r.label, r.advantage, r.side_advantage, r.balanced, 1 / r.classes) for r in self.rows)
        if not self.side_columns:
            names, rows = _without(names, (2,)), tuple(_without(row, (2,)) for row in rows)
        return Table(names, rows, "Advantage: (accuracy - prior) / (1 - prior)")

    def curve(self) -> Curves:
        """Advantage by the number of labelled vectors, which stands on a logarithmic axis."""
        curves = tuple(Curve(row.label, tuple((float(n), found) for n, found in row.curve)) for row in self.rows)
        title = "How many labels an insider needs"
        return Curves(title, "labelled vectors", "advantage over the prior", curves, "x", percent="y")

    def blocks(self) -> tuple[Block, ...]:
        """Verdict, accuracies, advantages, learning curve, how it was done."""
        leaks = self.leaks()
        side = ", ".join(self.side_columns) or "none"
        return (
            Heading("What an insider with labels reads of the others"),
            Facts(
                (
                    Fact(
                        "attributes told",
                        f"{len(leaks)} of {len(self.rows)}",
                        ", ".join(leaks),
                        "bad" if leaks else "plain",
                    ),
                    Fact("side information", str(len(self.side_columns)), side),
                )
            ),
            *(Text(line, "warn") for line in self.left_out),
            self.table(),
            self.advantages(),
            *((self.curve(),) if any(row.curve for row in self.rows) else ()),
            Text(
                "Side information is the other label columns and no text; what it tells without any vector is "
                "imputation and no leak. Vectors are read by a linear probe, so a stronger reader may tell more. "
                "Intervals and sign-flip tests are paired and over groups; p-values are adjusted by Holm over all "
                f"claims. A point of the curve is the mean of {self.draws} random choices of labelled vectors."
            ),
        )


def _without(cells: tuple[C, ...], places: tuple[int, ...]) -> tuple[C, ...]:
    return tuple(cell for place, cell in enumerate(cells) if place not in places)
