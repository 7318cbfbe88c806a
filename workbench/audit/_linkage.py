"""Rows that are one: duplicates within a store, and the same rows in another dump.

A link needs the nearest vector of the other dump to be much nearer than the second nearest (Lowe's ratio, IJCV 2004).
How much is set so that rows that are not there are rarely linked; such rows are had by asking for rows' neighbours
among others than themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.estimate import Estimate, proportion
from workbench.core.vectors import unit
from workbench.results.payload import Duplicates, Linkage

FALSE = 0.01
"""Share of rows that are not in the other dump and that are linked all the same, as the ratio is set."""
_MOST = 20_000
"""Rows that are looked at; of more, so many are drawn."""
_FEWEST = 200
_BLOCK = 1024


@dataclass(frozen=True)
class Nearest:
    """For each of m rows its nearest target, and the distances of unit vectors (0 to 2) to the three nearest."""

    place: Int[np.ndarray, " m"]
    far: Float[np.ndarray, "m 3"]

    @property
    def ratio(self) -> Float[np.ndarray, " m"]:
        """Nearest over second nearest distance; 1 where both are 0."""
        return _over(self.far[:, 0], self.far[:, 1])

    @property
    def next_ratio(self) -> Float[np.ndarray, " m"]:
        """Second over third nearest distance: the ratio if the nearest were not there."""
        return _over(self.far[:, 1], self.far[:, 2])


def duplicates(vectors: Float[np.ndarray, "n d"], near: float, seed: int = 0) -> Duplicates:
    """Rows with an equal vector, and rows with one at a cosine of at least `near`."""
    n = len(vectors)
    same = distinct(vectors)
    equal = same.sizes[same.member] > 1
    rows = _drawn(n, seed)
    if n < 2:
        return Duplicates(proportion(0, n), 1, proportion(0, n), near)
    close = nearest(vectors[rows], vectors, rows).far[:, 0] <= np.sqrt(2 - 2 * near) + 1e-3
    nearly = proportion(int((close | equal[rows]).sum()), len(rows))
    return Duplicates(proportion(int(equal.sum()), n), int(same.sizes.max()), nearly, near)


def link(store: SetLike, other: SetLike, seed: int = 0) -> Linkage:
    """How many rows of a store are found again in another dump, by id and by vector."""
    store = EmbeddingSet.of(store)
    other = EmbeddingSet.of(other)
    ids = [str(id) for id in store.ids]
    places = {str(id): row for row, id in enumerate(other.ids)}
    by_id = proportion(sum(id in places for id in ids), len(ids))

    def without(note: str) -> Linkage:
        return Linkage(len(other), by_id, None, None, None, None, note)

    if store.dim != other.dim:
        return without(f"The other dump has {other.dim} dimensions, not {store.dim}: only ids were compared.")
    there = distinct(other.vectors)
    targets = there.table
    if min(len(targets), len(store)) < _FEWEST:
        return without(f"Links by vector need {_FEWEST} rows on both sides to say how often they are false.")
    rows = _drawn(len(store), seed)
    found = nearest(store.vectors[rows], targets)
    limit = _limit(store.vectors, targets, found, seed)
    linked = found.ratio <= limit.ratio
    links = zip(rows[linked].tolist(), found.place[linked].tolist(), strict=True)
    known = [(place, places[ids[row]]) for row, place in links if ids[row] in places]
    agree = sum(place == int(there.member[true]) for place, true in known)
    return Linkage(
        len(other),
        by_id,
        proportion(int(linked.sum()), len(rows)),
        limit.ratio,
        limit.false,
        proportion(agree, len(known)) if known else None,
        f"A link by vector: the nearest vector lies at {limit.ratio:.2f} or less of the second nearest's distance.",
    )


def nearest(
    queries: Float[np.ndarray, "m d"], targets: Float[np.ndarray, "n d"], own: Int[np.ndarray, " m"] | None = None
) -> Nearest:
    """The three nearest targets; `own` names for each query the target that does not count: itself. Where there are
    fewer, the rest lie at distance 2."""
    asked, known = unit(queries.astype(np.float32)), unit(targets.astype(np.float32))
    place, best = np.empty(len(asked), np.int64), np.empty((len(asked), 3), np.float32)
    for start in range(0, len(asked), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(asked)))
        cosines = asked[rows] @ known.T
        every = np.arange(len(cosines))
        if own is not None:
            cosines[every, own[rows]] = -1.0
        place[rows] = cosines.argmax(1)
        for turn in range(3):
            nearby = cosines.argmax(1)
            best[rows, turn] = cosines[every, nearby]
            cosines[every, nearby] = -1.0
    return Nearest(place, np.sqrt(np.maximum(2 - 2 * best.astype(np.float64), 0.0)))


@dataclass(frozen=True)
class Distinct:
    """Vectors without repetitions, the place of each row's among them, and how many rows each has."""

    table: Float[np.ndarray, "m d"]
    member: Int[np.ndarray, " n"]
    sizes: Int[np.ndarray, " m"]


def distinct(vectors: Float[np.ndarray, "n d"]) -> Distinct:
    """Which vectors are equal to the bit."""
    whole = np.ascontiguousarray(vectors + 0.0)  # -0.0 and 0.0 have other bytes
    raw = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
    _, first, member, sizes = np.unique(raw, return_index=True, return_inverse=True, return_counts=True)
    return Distinct(whole[first], member.ravel(), sizes)


@dataclass(frozen=True)
class _Limit:
    """A ratio, and the share of rows that are not there and would be linked by it, on rows that did not set it."""

    ratio: float
    false: Estimate

    @classmethod
    def of(cls, ratios: Float[np.ndarray, " m"], random: np.random.Generator) -> _Limit:
        """From the ratios of rows that are not there: half of them set it."""
        ratios = random.permutation(ratios)
        half = len(ratios) // 2
        ratio = float(np.sort(ratios[:half])[max(int(FALSE * (half + 1)) - 1, 0)])
        return cls(ratio, proportion(int((ratios[half:] <= ratio).sum()), len(ratios) - half))


def _limit(store: Float[np.ndarray, "n d"], targets: Float[np.ndarray, "m d"], found: Nearest, seed: int) -> _Limit:
    """The stricter of two: one by the other dump's rows among themselves, one by this store's rows among copies that
    are as far from their originals as the likeliest links are. (A noisy dump's own rows alone would set it too lax.)
    """
    random = np.random.default_rng(seed)
    rows = _drawn(len(targets), seed)
    theirs = _Limit.of(nearest(targets[rows], targets, rows).ratio, random)
    own = unit(distinct(store).table.astype(np.float64))
    rows = _drawn(len(own), seed)
    likely = found.ratio <= _Limit.of(found.next_ratio, random).ratio
    # the nearest tenth: mere neighbours among the links lie farther off, and would make the limit lax
    distance = float(np.quantile(found.far[likely, 0], 0.1)) if likely.any() else 0.0
    cosine = max(1 - distance**2 / 2, 0.1)
    noise = np.sqrt((1 / cosine**2 - 1) / own.shape[1])
    copies = own + noise * random.standard_normal(own.shape)
    ours = _Limit.of(nearest(own[rows], copies, rows).ratio, random)
    return min(theirs, ours, key=lambda limit: limit.ratio)


def _over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.where(below > 0, above / np.maximum(below, 1e-12), 1.0)


def _drawn(n: int, seed: int) -> Int[np.ndarray, " m"]:
    return np.arange(n) if n <= _MOST else np.sort(np.random.default_rng(seed).choice(n, _MOST, replace=False))
