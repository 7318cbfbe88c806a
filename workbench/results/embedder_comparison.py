"""EmbedderComparison: what several embedders cost and how good they are, measured in one run on one machine."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Heading, Intervals, Series, Table, Text
from workbench.core.estimate import Estimate
from workbench.core.result import Result


@dataclass(frozen=True)
class EmbedderScores:
    """One embedder. Rates are texts a second, memory is the highest resident set of its own process."""

    embedder: str
    revision: str
    dim: int
    normalised: bool
    isotropy: Estimate
    """Mean cosine of vectors of unrelated sentences: 0 is isotropic, near 1 a narrow cone."""
    ndcg: Estimate
    """nDCG@10 of the passage that answers a question."""
    recall: Estimate
    """Share of questions whose passage is among the first 10."""
    paraphrase_auc: Estimate
    """Paraphrases against unrelated sentences, by cosine."""
    decoy_auc: Estimate
    """Paraphrases against sentences that share words."""
    sentences_per_second: float
    passages_per_second: float
    load_seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class EmbedderComparison(Result):
    """Several embedders on the same texts."""

    texts: int
    seed: int
    sentence_words: float
    passage_words: float
    threads: int
    device: str
    rows: tuple[EmbedderScores, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    """Embedders that could not be measured, and why."""

    def quality(self) -> Table:
        """One row an embedder: dimension, isotropy, retrieval, paraphrases."""
        rows = tuple(
            (r.embedder, r.dim, r.isotropy, r.ndcg, r.recall, r.paraphrase_auc, r.decoy_auc) for r in self.rows
        )
        columns = ("embedder", "dim", "mean cosine", "nDCG@10", "recall@10", "paraphrase AUC", "AUC against decoys")
        return Table(columns, rows, "Quality")

    def cost(self) -> Table:
        """One row an embedder: rates, time to open, memory."""
        rows = tuple(
            (
                r.embedder,
                *map(_short, (r.sentences_per_second, r.passages_per_second, r.load_seconds, r.peak_memory_mb)),
            )
            for r in self.rows
        )
        columns = ("embedder", "sentences/s", "passages/s", "seconds to open, imports too", "peak memory, MB")
        return Table(columns, rows, f"Cost, {self.device}, {self.threads} threads", digits=1)

    def chart(self) -> Intervals:
        """Retrieval and paraphrase quality of every embedder on one axis."""
        return Intervals(
            "What embedders are good for",
            "score, 0 to 1",
            tuple(r.embedder for r in self.rows),
            (
                Series("nDCG@10, question to passage", tuple(r.ndcg for r in self.rows)),
                Series("AUC, paraphrases against decoys", tuple(r.decoy_auc for r in self.rows)),
            ),
            upper=1.0,
        )

    def setting(self) -> str:
        """What was measured, in words."""
        return (
            f"{self.texts:,} SQuAD questions, each against {self.texts:,} passages of {self.passage_words:.0f} words, "
            f"ten an article; {self.texts:,} pairs of Tatoeba sentences of {self.sentence_words:.0f} words that "
            "share a translation, against as many unrelated sentences and as many decoys that share words. Seed "
            f"{self.seed}, 95% intervals. No embedder was given a prompt for questions; each had a process of its own."
        )

    def blocks(self) -> tuple[Block, ...]:
        """Setting, chart and both tables."""
        failed = tuple(Text(f"{name} could not be measured: {why}", "warn") for name, why in self.failures)
        return (Heading("Embedders compared"), Text(self.setting()), self.chart(), self.quality(), self.cost(), *failed)

    def brief(self) -> tuple[Block, ...]:
        """The tables alone."""
        return (self.quality(), self.cost(), *(block for block in self.blocks() if isinstance(block, Text)))


def _short(value: float) -> float | int:
    """Large numbers without their decimals."""
    return round(value) if value >= 100 else value
