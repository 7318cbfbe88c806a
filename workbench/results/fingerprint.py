"""Fingerprint: which embedder made these vectors, and in what form they were stored."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.result import Result


@dataclass(frozen=True)
class Suspect:
    """One embedder that may have made the vectors; `excess` is how much farther from the mean than sets of its own
    texts they lie (below 0: nearer), in standard deviations of such sets; `why` says what speaks most against it."""

    embedder: str
    form: str
    excess: float
    probability: float
    why: str = ""


@dataclass(frozen=True)
class Fingerprint(Result):
    """What vectors tell of where they come from; suspects are the likeliest first."""

    n: int
    dim: int
    normalised: bool
    stored: str
    """How the numbers were stored: float32, float16, int8, codes by dimension, binary or packed bits."""
    suspects: tuple[Suspect, ...]
    none: float
    """Probability that none of them made the vectors."""
    texts: int
    """Public texts of each suspect that the vectors were compared with."""
    seconds: float

    @property
    def verdict(self) -> str:
        """The suspect that is likelier than all else together, or "none of them"."""
        best = self.suspects[0] if self.suspects else None
        return best.embedder if best and best.probability > 0.5 else "none of them"

    def table(self) -> Table:
        """One row a suspect, and one for none of them."""
        rows = [(each.embedder, each.form, each.excess, each.probability, each.why) for each in self.suspects]
        strong = tuple(place for place, row in enumerate(rows) if row[0] == self.verdict)
        last = (("none of them", "", None, self.none, ""),)
        return Table(
            ("embedder", "form", "excess distance", "probability", "what speaks against it"),
            (*rows, *last),
            "Who made them?",
            strong,
        )

    def blocks(self) -> tuple[Block, ...]:
        """Verdict, form, suspects."""
        best = next((each for each in self.suspects if each.embedder == self.verdict), None)
        chance = best.probability if best else self.none
        return (
            Heading("Which embedder made these vectors?"),
            Facts(
                (
                    Fact("verdict", self.verdict, f"probability {chance:.2f}", "good" if best else "plain"),
                    Fact("vectors", f"{self.n:,}", f"of {self.dim} dimensions"),
                    Fact("length", "1 each" if self.normalised else "differs", "normalised" if self.normalised else ""),
                    Fact("stored as", self.stored),
                )
            ),
            self.table(),
            Text(
                "Excess distance: how much farther from the mean the vectors lie than sets of public texts of the same "
                f"embedder ({self.texts:,} texts), in standard deviations; below 0 they lie nearer. The probability "
                "weighs twenty statistics on both sides; it was fitted on domains that were left out in turn, against "
                "other embedders and distorted vectors. Only the embedders of the table were thought of."
            ),
        )
