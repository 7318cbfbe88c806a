"""Inversions: what an inverter read off each vector, and the path that led there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.blocks import Block, Example, Examples, Fact, Facts, Heading, Segment, Table, Text
from workbench.core.errors import BadInput
from workbench.core.result import Result


@dataclass(frozen=True, eq=False)
class Round:
    """The best texts after one round. `queries` and `seconds` are those of this round, over all n vectors."""

    stage: str
    texts: np.ndarray
    cosines: np.ndarray
    queries: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Inversions(Result):
    """One text for each of n vectors.

    `cosines` lie between the vector and the text's own vector, or is None where the embedder could not be asked.
    `rounds` counts the rounds that changed a text after the first (0 for a hypothesis alone), `queries` the texts sent
    to the embedder, `seconds` the wall time of all. Every array has shape (n,). `path` holds every round.
    """

    method: str
    ids: np.ndarray
    texts: np.ndarray
    cosines: np.ndarray | None
    rounds: np.ndarray
    queries: int
    seconds: float
    path: tuple[Round, ...] = ()
    doubt: str = ""
    """What speaks against the vectors being those of the embedder that was asked, in words; else empty."""

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("texts", "cosines", "rounds"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise BadInput(f"{name} has {len(column)} entries but ids has {n}")

    def __len__(self) -> int:
        return len(self.ids)

    def steps(self, row: int) -> list[dict[str, Any]]:
        """The path of one vector: each round that changed its text, with stage, text and cosine."""
        found: list[dict[str, Any]] = []
        for each in self.path:
            if not found or found[-1]["text"] != each.texts[row]:
                cosine = round(float(each.cosines[row]), 6)
                found.append({"stage": each.stage, "text": str(each.texts[row]), "cosine": cosine})
        return found

    def path_table(self) -> Table:
        """One row a round: mean cosine, queries and seconds so far."""
        queries = np.cumsum([each.queries for each in self.path])
        seconds = np.cumsum([each.seconds for each in self.path])
        rows = tuple(
            (each.stage, float(each.cosines.mean()), float(asked) / max(len(self), 1), float(spent))
            for each, asked, spent in zip(self.path, queries, seconds, strict=True)
        )
        return Table(("after", "mean cosine", "queries a vector", "seconds"), rows, "Round by round")

    def blocks(self) -> tuple[Block, ...]:
        """How many, how fast, how close, the first few texts, and the rounds."""
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
        rounds = (self.path_table(),) if len(self.path) > 1 else ()
        return (
            Heading(f"Inversions by {self.method}"),
            *((Text(f"Doubtful: {self.doubt}.", "bad"),) if self.doubt else ()),
            Facts(tuple(facts)),
            Examples("The first few", items),
            *rounds,
        )
