"""InversionScores: how much of the hidden texts an attack gave back, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from workbench.core.blocks import Block, Heading, Intervals, Series, Table, Text
from workbench.core.estimate import Estimate
from workbench.core.result import Result

Role = Literal["attack", "floor", "prior"]


@dataclass(frozen=True)
class InversionScores:
    """Scores of one method on n texts; all but `cosine` are shares between 0 and 1.

    `bleu` is the mean of sentence BLEU / 100, `token_f1` the mean F1 of the multisets of normalised words, `exact` the
    share of texts given back with the same normal form, `cosine` the mean cosine between true and re-embedded vector.
    """

    method: str
    role: Role
    bleu: Estimate
    token_f1: Estimate
    exact: Estimate
    cosine: Estimate

    def row(self) -> tuple[str | Estimate, ...]:
        """The cells of a table."""
        return (self.method, self.bleu, self.token_f1, self.exact, self.cosine)


COLUMNS = ("method", "BLEU", "token F1", "exact match", "cosine")


@dataclass(frozen=True)
class ScoreTable(Result):
    """Scores of several methods on the same texts, attacks beside their floors."""

    title: str
    scores: tuple[InversionScores, ...]
    signature: str
    """sacrebleu's signature of the BLEU that was used."""

    def table(self) -> Table:
        """One row a method, attacks in bold."""
        strong = tuple(i for i, score in enumerate(self.scores) if score.role == "attack")
        return Table(COLUMNS, tuple(score.row() for score in self.scores), self.title, strong)

    def chart(self) -> Intervals:
        """Token F1, BLEU and cosine of every method on one axis."""
        return Intervals(
            self.title,
            "score, 0 to 1",
            tuple(score.method for score in self.scores),
            (
                Series("token F1", tuple(score.token_f1 for score in self.scores)),
                Series("BLEU", tuple(score.bleu for score in self.scores)),
                Series("cosine", tuple(score.cosine for score in self.scores)),
            ),
            upper=1.0,
        )

    def blocks(self) -> tuple[Block, ...]:
        """The table and how BLEU was counted."""
        return (
            Heading(self.title),
            replace(self.table(), caption=""),
            Text(f"BLEU: mean over sentences, {self.signature}"),
        )
