"""Inversions: what an inverter read off each vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.blocks import Block, Example, Examples, Fact, Facts, Heading, Segment
from workbench.core.errors import BadInput
from workbench.core.result import Result


@dataclass(frozen=True, eq=False)
class Inversions(Result):
    """One text for each of n vectors.

    `cosines` lie between the vector and the text's own vector, or is None where the embedder could not be asked.
    `rounds` counts passes of correction (0 for a hypothesis alone), `queries` the texts sent to the embedder,
    `seconds` the wall time of all. Every array has shape (n,).
    """

    method: str
    ids: np.ndarray
    texts: np.ndarray
    cosines: np.ndarray | None
    rounds: np.ndarray
    queries: int
    seconds: float

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("texts", "cosines", "rounds"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise BadInput(f"{name} has {len(column)} entries but ids has {n}")

    def __len__(self) -> int:
        return len(self.ids)

    def blocks(self) -> tuple[Block, ...]:
        """How many, how fast, how close, and the first few texts."""
        facts = [
            Fact("vectors", f"{len(self):,}"),
            Fact("vectors a second", f"{len(self) / max(self.seconds, 1e-9):.1f}"),
            Fact("texts sent to the embedder", f"{self.queries:,}"),
        ]
        if self.cosines is not None:
            facts.insert(1, Fact("mean cosine of re-embedding", f"{self.cosines.mean():.3f}"))
        shown = range(min(8, len(self)))
        notes = ["" if self.cosines is None else f"cosine {self.cosines[i]:.3f}" for i in shown]
        items = tuple(
            Example((Segment(str(self.ids[i])),), (Segment(str(self.texts[i])),), note)
            for i, note in zip(shown, notes, strict=True)
        )
        return Heading(f"Inversions by {self.method}"), Facts(tuple(facts)), Examples("The first few", items)
