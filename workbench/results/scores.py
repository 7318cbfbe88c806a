"""InversionScores: how much of the hidden texts an attack gave back, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from workbench.core.blocks import Block, Heading, Intervals, Series, Table, Text
from workbench.core.estimate import Estimate
from workbench.core.result import Result

Role = Literal["attack", "floor", "prior"]
METRICS = ("bleu", "chrf", "token_f1", "exact", "string_exact", "cosine")
"""Names of the scores, in the order of their columns."""


@dataclass(frozen=True)
class InversionScores:
    """Scores of one method on n texts; all but `cosine` are shares between 0 and 1.

    `bleu` is the mean of sentence BLEU / 100, `token_f1` the mean F1 of the multisets of normalised tokens, `exact` the
    share of texts given back with the same normal form, `cosine` the mean cosine between true and re-embedded vector.
    `chrf` is the mean of sentence chrF / 100, `string_exact` the share of texts given back to the letter, as vec2text
    counts exact matches; both are None in files that were written before they were measured.
    """

    method: str
    role: Role
    bleu: Estimate
    token_f1: Estimate
    exact: Estimate
    cosine: Estimate
    chrf: Estimate | None = None
    string_exact: Estimate | None = None

    def row(self) -> tuple[str | Estimate | None, ...]:
        """The cells of a table, in the order of `COLUMNS`."""
        return (self.method, *(getattr(self, metric) for metric in METRICS))

    def leaks(self) -> dict[str, Estimate]:
        """What of the texts came back, by the names under which audits grade and gate it."""
        found = {"words of a sentence (token F1)": self.token_f1, "whole sentences": self.exact}
        return found | ({"whole sentences to the letter": self.string_exact} if self.string_exact else {})


COLUMNS = ("method", "BLEU", "chrF", "token F1", "exact match", "equal strings", "cosine")


@dataclass(frozen=True)
class ScoreTable(Result):
    """Scores of several methods on the same texts, attacks beside their floors."""

    title: str
    scores: tuple[InversionScores, ...]
    signature: str
    """sacrebleu's signature of the BLEU that was used, with its tokeniser."""
    chrf_signature: str = ""
    """sacrebleu's signature of the chrF; empty in files that were written before it was measured."""

    def table(self) -> Table:
        """One row a method, attacks in bold."""
        strong = tuple(i for i, score in enumerate(self.scores) if score.role == "attack")
        rows = [score.row() for score in self.scores]
        kept = [place for place in range(len(COLUMNS)) if any(row[place] is not None for row in rows)]
        cells = tuple(tuple(row[place] for place in kept) for row in rows)
        return Table(tuple(COLUMNS[place] for place in kept), cells, self.title, strong)

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
        """The table and how its scores were counted."""
        return (
            Heading(self.title),
            replace(self.table(), caption=""),
            Text(self.counted()),
        )

    def counted(self) -> str:
        """How BLEU and chrF were counted, and what an exact match is, in words."""
        chrf = f" chrF is the mean over sentences, {self.chrf_signature}." if self.chrf_signature else ""
        strings = (
            " Equal strings are equal to the letter, which vec2text reports as exact match."
            if any(score.string_exact for score in self.scores)
            else ""
        )
        return (
            f"BLEU is the mean over sentences, {self.signature}.{chrf} Token F1 compares multisets of normalised "
            "words, signs, and letters of scripts without blanks. Exact match ignores case, punctuation and spacing, "
            f"and keeps marks, signs and operators.{strings}"
        )
