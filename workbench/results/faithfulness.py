"""Faithfulness: whether attributions foretell what a cosine does when the words that they name are taken away."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Heading, Intervals, Series, Table, Text
from workbench.core.estimate import Estimate
from workbench.core.result import Result


@dataclass(frozen=True)
class MethodFaithfulness:
    """Means over pairs of texts, with intervals; None where a method gives no such thing."""

    method: str
    deletion: Estimate
    """Area under the cosine while the words of the first text go, the highest first; lower is better."""
    insertion: Estimate
    """The same while they come back into an empty text; higher is better."""
    comprehensiveness: Estimate
    """Fall of the cosine without the first 10 to 50% of the words; higher is better."""
    sufficiency: Estimate
    """Fall of the cosine with these words alone; lower is better."""
    less_than_default: Estimate | None
    """Deletion area of the default less this method's, pair by pair; below 0 the default is better."""
    pair_correlation: Estimate | None
    """Rank correlation of the pair matrix with exact pair occlusion."""
    randomised: Estimate | None
    """Rank correlation with the attributions of the same model with shuffled weights; near 0 is right."""
    seconds: float
    """CPU-seconds a pair."""


@dataclass(frozen=True)
class Faithfulness(Result):
    """One row a method, all on the same pairs."""

    embedder: str
    pairs: int
    randomised_pairs: int
    rows: tuple[MethodFaithfulness, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    """Methods that this embedder does not allow, with the reason."""

    def table(self) -> Table:
        """What happens to the cosine, a row a method."""
        columns = (
            "method",
            "deletion AUC",
            "insertion AUC",
            "comprehensiveness",
            "sufficiency",
            "default less this",
        )
        rows = tuple(
            (
                row.method,
                row.deletion,
                row.insertion,
                row.comprehensiveness,
                row.sufficiency,
                row.less_than_default,
            )
            for row in self.rows
        )
        return Table(columns, rows, f"{self.pairs} pairs, {self.embedder}; 95% intervals", strong=(0,))

    def checks(self) -> Table:
        """Pairs of words, shuffled weights, and what it costs."""
        rows = tuple((row.method, row.pair_correlation, row.randomised, row.seconds) for row in self.rows)
        columns = ("method", "correlation with pair occlusion", "with shuffled weights", "CPU-s a pair")
        return Table(columns, rows, strong=(0,))

    def blocks(self) -> tuple[Block, ...]:
        """The table, deletion and insertion as a chart, and what they mean."""
        labels = tuple(row.method for row in self.rows)
        chart = Intervals(
            f"Cosine left on average, {self.pairs} pairs",
            "area under the cosine",
            labels,
            (
                Series("words deleted (lower is better)", tuple(row.deletion for row in self.rows)),
                Series("words inserted (higher is better)", tuple(row.insertion for row in self.rows)),
            ),
        )
        left = tuple(Text(f"Left out: {name}: {why}", "warn") for name, why in self.left_out)
        return (
            Heading("Which attribution can be believed", 1),
            chart,
            self.table(),
            self.checks(),
            Text(
                "Words of the first text are taken away in the order that a method gives them, and what is left is "
                "embedded anew: deletion AUC is low if the words that are named first carry the cosine. 'default less "
                "this' compares deletion AUC pair by pair. The correlation compares the matrix with what leaving out "
                "both words at once does. With shuffled weights nothing of an attribution should remain, measured on "
                f"{self.randomised_pairs} pairs."
            ),
            *left,
        )

    def brief(self) -> tuple[Block, ...]:
        """What fits a terminal."""
        columns = ("method", "deletion AUC", "insertion AUC", "default less this", "CPU-s")
        rows = tuple((row.method, row.deletion, row.insertion, row.less_than_default, row.seconds) for row in self.rows)
        return (Table(columns, rows, f"{self.pairs} pairs, {self.embedder}; 95% intervals", strong=(0,), digits=2),)
