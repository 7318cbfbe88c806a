"""Pool: the best texts so far of each vector, and the one place where a search asks the embedder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from workbench.embed._embedder import Embedder
from workbench.lm import Vocabulary

Pieces = tuple[int, ...]
SOLVED = 0.9999
"""Cosine from which a text counts as found."""


@dataclass(frozen=True)
class Kept:
    """A text that was embedded; `vector` has unit length. Texts are ranked by cosine and `bonus`."""

    pieces: Pieces
    text: str
    vector: Float[np.ndarray, " d"]
    cosine: float
    bonus: float = 0.0

    @property
    def score(self) -> float:
        """What decides between texts."""
        return self.cosine + self.bonus


@dataclass(frozen=True)
class Limits:
    """Most seconds for all vectors, and most texts that may be embedded for one vector; 0 means no limit."""

    seconds: float = 0.0
    queries: int = 0


class Pool:
    """The `width` best texts of each of n vectors. Texts are only ever replaced by texts of higher score, which is the
    cosine as long as nobody gives a bonus."""

    def __init__(
        self,
        embedder: Embedder,
        vocabulary: Vocabulary,
        vectors: Float[np.ndarray, "n d"],
        width: int = 1,
        patience: int = 2,
        limits: Limits | None = None,
    ) -> None:
        self.vectors = unit(vectors)
        self.kept: list[list[Kept]] = [[] for _ in vectors]
        self.asked = np.zeros(len(vectors), dtype=np.int64)
        self._seen: list[set[str]] = [set() for _ in vectors]
        self._stalled = np.zeros(len(vectors), dtype=np.int64)
        self._embedder, self._vocabulary = embedder, vocabulary
        self._width, self._patience = width, patience
        self._limits, self._began = limits or Limits(), time.monotonic()

    def texts(self) -> list[str]:
        """The best text of each vector."""
        return [kept[0].text for kept in self.kept]

    def cosines(self) -> Float[np.ndarray, " n"]:
        """The cosine of each best text."""
        return np.array([kept[0].cosine for kept in self.kept])

    def unsolved(self) -> list[int]:
        """Vectors that are not solved and have queries and time left."""
        limits = self._limits
        if limits.seconds and time.monotonic() - self._began >= limits.seconds:
            return []
        going = self.cosines() < SOLVED
        if limits.queries:
            going &= self.asked < limits.queries
        return np.flatnonzero(going).tolist()

    def active(self) -> list[int]:
        """Those of them that still gain."""
        return [row for row in self.unsolved() if self._stalled[row] < self._patience]

    def offer(
        self,
        rows: Sequence[int],
        candidates: Sequence[Sequence[Pieces]],
        bonus: Sequence[Sequence[float]] | None = None,
    ) -> list[list[float]]:
        """Embed what is new among the candidates of some vectors and keep the best; gives every candidate's cosine.

        Cosines of texts that were seen before, or for which no query is left, are minus infinity. With a `bonus` for
        each candidate, texts that were seen before are weighed again; the embedder's memo knows them.
        """
        texts = [[self._vocabulary.decode(pieces) for pieces in each] for each in candidates]
        fresh: list[tuple[int, int]] = []
        for place, row in enumerate(rows):
            for number, text in enumerate(texts[place]):
                new = text not in self._seen[row]
                left = not self._limits.queries or self.asked[row] < self._limits.queries
                if text and (left if new else bonus is not None):
                    self._seen[row].add(text)
                    self.asked[row] += new
                    fresh.append((place, number))
        scores = [[-np.inf] * len(each) for each in candidates]
        if not fresh:
            return scores
        vectors = unit(self._embedder.embed([texts[place][number] for place, number in fresh], what="re-rank"))
        truth = self.vectors[[rows[place] for place, _ in fresh]]
        for (place, number), vector, cosine in zip(fresh, vectors, (vectors * truth).sum(1).tolist(), strict=True):
            scores[place][number] = cosine
            kept = self.kept[rows[place]]
            extra = bonus[place][number] if bonus else 0.0
            kept.append(Kept(tuple(candidates[place][number]), texts[place][number], vector, cosine, extra))
        for row in rows:
            self.kept[row] = sorted(self.kept[row], key=lambda each: -each.score)[: self._width]
        return scores

    def rank_by(self, row: int, bonus: Sequence[float]) -> None:
        """Give the kept texts of a vector their bonus and rank them anew."""
        told = [replace(kept, bonus=extra) for kept, extra in zip(self.kept[row], bonus, strict=True)]
        self.kept[row] = sorted(told, key=lambda each: -each.score)

    def close_round(self, rows: Sequence[int], before: Float[np.ndarray, " n"]) -> None:
        """Count a round without gain for each of `rows`; `before` holds all cosines at the round's beginning."""
        after = self.cosines()
        for row in rows:
            self._stalled[row] = 0 if after[row] > before[row] else self._stalled[row] + 1


def unit(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Vectors of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
