"""Pool: the best texts so far of each vector, and the one place where a search asks the embedder."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.core.progress import progress
from workbench.core.vectors import unit
from workbench.embed._embedder import Embedder
from workbench.lm import Vocabulary

Pieces = tuple[int, ...]
Bonus = Callable[[Sequence[int], Sequence[Pieces]], Sequence[float] | Float[np.ndarray, " n"]]
"""What texts of certain vectors (rows) are worth beyond their angle, in radians: nothing, or less than nothing."""
SOLVED = 0.9999
"""Cosine from which a text counts as found."""
_WEIGHED = 7
"""Texts that are weighed in one go beyond as many as are kept."""


@dataclass(frozen=True)
class Kept:
    """A text that was embedded; `vector` has unit length."""

    pieces: Pieces
    text: str
    vector: Float[np.ndarray, " d"]
    cosine: float
    bonus: float = 0.0

    @property
    def score(self) -> float:
        """What decides between texts, in radians: how small the angle is, and the bonus of what is not found.

        By angles, not cosines: the nearer a text is the more an edit gains, and the less it may be held to be unlikely.
        """
        return _closeness(self.cosine) + (0.0 if self.cosine >= SOLVED else self.bonus)


def _closeness(cosine: float) -> float:
    """The angle that a cosine stands for, in radians and below nothing: higher is nearer."""
    return -math.acos(max(-1.0, min(1.0, cosine)))


@dataclass(frozen=True)
class Limits:
    """Most seconds for all vectors, and most texts that may be embedded for one vector; 0 means no limit."""

    seconds: float = 0.0
    queries: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.seconds < math.inf and self.queries >= 0):
            raise BadInput(f"limits are {self.seconds} seconds and {self.queries} queries; expected 0 (none) or more")


class Pool:
    """The `width` best texts of each of n vectors. The best is only ever replaced by one of higher score: a smaller
    angle, and where there is a `bonus`, what it gives for texts of certain vectors (rows).

    With `heat`, a score, only the best of them is sure to stay: the others are drawn, those whose score is lower by the
    heat e times seldomer, so that a search can leave texts from which no small change leads up. Draws for a vector
    depend on nothing but that vector.
    """

    def __init__(
        self,
        embedder: Embedder,
        vocabulary: Vocabulary,
        vectors: Float[np.ndarray, "n d"],
        width: int = 1,
        patience: int = 2,
        limits: Limits | None = None,
        bonus: Bonus | None = None,
        heat: float = 0.0,
    ) -> None:
        self.vectors = unit(vectors)
        self.kept: list[list[Kept]] = [[] for _ in vectors]
        self.asked = np.zeros(len(vectors), dtype=np.int64)
        self.draws = [np.random.default_rng(np.frombuffer(each.tobytes(), dtype=np.uint32)) for each in self.vectors]
        self._seen: list[set[str]] = [set() for _ in vectors]
        self._stalled = np.zeros(len(vectors), dtype=np.int64)
        self._embedder, self._vocabulary = embedder, vocabulary
        self._width, self._patience, self._bonus = width, patience, bonus
        self._limits, self._began, self._heat = limits or Limits(), time.monotonic(), heat

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

    def _active(self) -> list[int]:
        return [row for row in self.unsolved() if self._stalled[row] < self._patience]

    def offer(self, rows: Sequence[int], candidates: Sequence[Sequence[Pieces]]) -> list[Float[np.ndarray, "k d"]]:
        """Embed what is new among the candidates of some vectors and keep the best; gives every candidate's vector.

        The vector of a text that was seen before, or for which no query is left, is all NaN.
        """
        texts = [[self._vocabulary.decode(pieces) for pieces in each] for each in candidates]
        fresh: list[tuple[int, int]] = []
        for place, row in enumerate(rows):
            for number, text in enumerate(texts[place]):
                left = not self._limits.queries or self.asked[row] < self._limits.queries
                if text and left and text not in self._seen[row]:
                    self._seen[row].add(text)
                    self.asked[row] += 1
                    fresh.append((place, number))
        asked = [np.full((len(each), self.vectors.shape[1]), np.nan, dtype=np.float32) for each in candidates]
        if not fresh:
            return asked
        vectors = unit(self._embedder.embed([texts[place][number] for place, number in fresh], what="re-rank"))
        owners = [rows[place] for place, _ in fresh]
        pieces = [tuple(candidates[place][number]) for place, number in fresh]
        cosines = (vectors * self.vectors[owners]).sum(1).tolist()
        for (place, number), vector in zip(fresh, vectors, strict=True):
            asked[place][number] = vector
        hopeful = self._hopeful(owners, cosines)
        bonus = [0.0] * len(hopeful)
        if self._bonus:
            bonus = self._bonus([owners[i] for i in hopeful], [pieces[i] for i in hopeful])
        for i, extra in zip(hopeful, bonus, strict=True):
            place, number = fresh[i]
            kept = Kept(pieces[i], texts[place][number], vectors[i], cosines[i], float(extra))
            self.kept[owners[i]].append(kept)
        for row in rows:
            self.kept[row] = self._survivors(row)
        return asked

    def drawn(self, row: int, texts: Sequence[Kept], count: int) -> list[Kept]:
        """Some of a vector's texts, as by `heat`, the best first (Gumbel's top-k trick, arXiv:1903.06059)."""
        scores = np.array([each.score for each in texts])
        luck = self._heat * self.draws[row].gumbel(size=len(texts)) if self._heat else 0.0
        chosen = np.argsort(-(scores + luck), kind="stable")[:count]
        return [texts[i] for i in chosen[np.argsort(-scores[chosen], kind="stable")]]

    def _survivors(self, row: int) -> list[Kept]:
        ranked = sorted(self.kept[row], key=lambda each: -each.score)
        return ranked[:1] + self.drawn(row, ranked[1:], self._width - 1)

    def _hopeful(self, owners: list[int], cosines: list[float]) -> list[int]:
        """Of each vector's new texts the few of highest cosine that could be kept: a bonus costs as much as a query."""
        taken = dict.fromkeys(owners, 0)
        out = []
        for i in np.argsort(-np.asarray(cosines), kind="stable").tolist():
            kept = self.kept[owners[i]]
            bar = kept[-1].score if len(kept) == self._width else -np.inf
            if _closeness(cosines[i]) > bar and taken[owners[i]] < self._width + _WEIGHED:
                taken[owners[i]] += 1
                out.append(i)
        return out

    def _scores(self) -> Float[np.ndarray, " n"]:
        return np.array([kept[0].score for kept in self.kept])

    def rounds(self, most: int, what: str) -> Iterator[list[int]]:
        """The vectors to work on, at most `most` times; a vector that gains nothing for too long drops out."""
        with progress(what, most, "rounds") as advance:
            for _ in range(most):
                rows = self._active()
                if not rows:
                    return
                before = self._scores()
                yield rows
                gained = self._scores() > before
                for row in rows:
                    self._stalled[row] = 0 if gained[row] else self._stalled[row] + 1
                advance(1)
