"""Augmentation: what a language model made of a corpus, what of it was kept, and why the rest was not."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.result import Result


@dataclass(frozen=True)
class Sample:
    """A source, what was made of it, and the reason for which it was left out ("" where it was kept)."""

    kind: str
    source: str
    made: str
    cosine: float | None
    dropped: str


@dataclass(frozen=True)
class LabelCount:
    """How often a question about the texts was answered yes, no, and not clearly."""

    label: str
    yes: int
    no: int
    unsure: int
    leaning: float
    """Log-odds of yes for texts without content, which were taken off."""


@dataclass(frozen=True)
class Augmentation(Result):
    """The account of one run; the texts themselves are in the Parquet file."""

    corpus: str
    sources: int
    model: str
    model_revision: str
    embedder: str
    seed: int
    kept: tuple[tuple[str, int], ...]
    """Texts kept, by kind."""
    dropped: tuple[tuple[str, str, int], ...]
    """Kind, reason, and how many."""
    labels: tuple[LabelCount, ...]
    samples: tuple[Sample, ...]
    seconds: float

    def made(self, kind: str) -> int:
        """Texts of a kind that were written."""
        return dict(self.kept)[kind] + sum(count for name, _, count in self.dropped if name == kind)

    def filter_table(self) -> Table:
        """One row a kind: made, kept, and a column a reason."""
        reasons = tuple(dict.fromkeys(reason for _, reason, _ in self.dropped))
        counts = {(kind, reason): count for kind, reason, count in self.dropped}
        rows = tuple(
            (kind, self.made(kind), kept, *(counts.get((kind, reason), 0) for reason in reasons))
            for kind, kept in self.kept
        )
        return Table(("kind", "made", "kept", *reasons), rows, "What was kept, and why the rest was not")

    def label_table(self) -> Table:
        """One row a label."""
        rows = tuple((each.label, each.yes, each.no, each.unsure, each.leaning) for each in self.labels)
        return Table(("label", "yes", "no", "unsure", "leaning taken off"), rows, "Labels of the sources", digits=2)

    def blocks(self) -> tuple[Block, ...]:
        """Headline, filter, labels, samples."""
        facts = tuple(Fact(f"{kind}s kept", f"{kept:,}", f"of {self.made(kind):,}") for kind, kept in self.kept)
        rows = tuple((each.kind, each.source, each.made, each.cosine, each.dropped or "kept") for each in self.samples)
        return (
            Heading(f"{self.corpus}, enlarged by {self.model}"),
            Text(
                f"{self.sources:,} texts; {self.model} ({self.model_revision}), seed {self.seed}, cosines by "
                f"{self.embedder}. What a small model writes and judges is silver, never gold: look at the samples."
            ),
            Facts((Fact("sources", f"{self.sources:,}"), *facts)),
            *((self.filter_table(),) if self.kept else ()),
            *((self.label_table(),) if self.labels else ()),
            *((Table(("kind", "source", "made", "cosine", "outcome"), rows, "Samples", digits=2),) if rows else ()),
        )
