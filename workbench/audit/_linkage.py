"""Rows that are one: duplicates within a store, and the same rows in another dump.

A link needs the nearest vector of the other dump to be much nearer than the second nearest (Lowe's ratio, IJCV 2004).
How much is set so that rows that are not there are rarely linked; such rows are had by asking either dump for its own
rows' neighbours among its others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.embedding_set import EmbeddingSet
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
    """For each of m rows its two nearest targets, and the distances of their unit vectors (0 to 2)."""

    place: Int[np.ndarray, " m"]
    first: Float[np.ndarray, " m"]
    second: Float[np.ndarray, " m"]

    @property
    def ratio(self) -> Float[np.ndarray, " m"]:
        """Nearest over second nearest distance; 1 where both are 0."""
        return np.where(self.second > 0, self.first / np.maximum(self.second, 1e-12), 1.0)


def duplicates(vectors: Float[np.ndarray, "n d"], near: float, seed: int = 0) -> Duplicates:
    """Rows with an equal vector, and rows with one at a cosine of at least `near`."""
    n = len(vectors)
    same = distinct(vectors)
    equal = same.sizes[same.member] > 1
    rows = _drawn(n, seed)
    if n < 2:
        return Duplicates(proportion(0, n), 1, proportion(0, n), near)
    close = nearest(vectors[rows], vectors, rows).first <= np.sqrt(2 - 2 * near) + 1e-3
    nearly = proportion(int((close | equal[rows]).sum()), len(rows))
    return Duplicates(proportion(int(equal.sum()), n), int(same.sizes.max()), nearly, near)


def link(store: EmbeddingSet, other: EmbeddingSet, seed: int = 0) -> Linkage:
    """How many rows of a store are found again in another dump, by id and by vector."""
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
    limit, wrong = _limit(store.vectors, targets, seed)
    rows = _drawn(len(store), seed)
    found = nearest(store.vectors[rows], targets)
    linked = found.ratio <= limit
    links = zip(rows[linked].tolist(), found.place[linked].tolist(), strict=True)
    known = [(place, places[ids[row]]) for row, place in links if ids[row] in places]
    agree = sum(place == int(there.member[true]) for place, true in known)
    return Linkage(
        len(other),
        by_id,
        proportion(int(linked.sum()), len(rows)),
        float(limit),
        wrong,
        proportion(agree, len(known)) if known else None,
        f"A link by vector: the nearest vector lies at {limit:.2f} or less of the second nearest's distance.",
    )


def nearest(
    queries: Float[np.ndarray, "m d"], targets: Float[np.ndarray, "n d"], own: Int[np.ndarray, " m"] | None = None
) -> Nearest:
    """The two nearest of at least two targets; `own` names for each query the target that does not count: itself."""
    asked, known = unit(queries.astype(np.float32)), unit(targets.astype(np.float32))
    place, best = np.empty(len(asked), np.int64), np.full((len(asked), 2), -1.0, np.float32)
    for start in range(0, len(asked), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(asked)))
        cosines = asked[rows] @ known.T
        if own is not None:
            cosines[np.arange(len(cosines)), own[rows]] = -1.0
        place[rows] = cosines.argmax(1)
        best[rows, 0] = cosines.max(1)
        cosines[np.arange(len(cosines)), place[rows]] = -1.0
        best[rows, 1] = cosines.max(1)
    far = np.sqrt(np.maximum(2 - 2 * best.astype(np.float64), 0.0))
    return Nearest(place, far[:, 0], far[:, 1])


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


def _limit(store: np.ndarray, targets: np.ndarray, seed: int) -> tuple[float, Estimate]:
    """The ratio at which FALSE of the rows that are not there are linked, and how many of others are: the stricter of
    what the two dumps say."""
    said = []
    for table in (distinct(store).table, targets):
        rows = _drawn(len(table), seed)
        ratios = np.random.default_rng(seed).permutation(nearest(table[rows], table, rows).ratio)
        half = len(ratios) // 2
        setting, rest = np.sort(ratios[:half]), ratios[half:]
        limit = float(setting[max(int(FALSE * (half + 1)) - 1, 0)])
        said.append((limit, proportion(int((rest <= limit).sum()), len(rest))))
    return min(said, key=lambda pair: pair[0])


def _drawn(n: int, seed: int) -> Int[np.ndarray, " m"]:
    return np.arange(n) if n <= _MOST else np.sort(np.random.default_rng(seed).choice(n, _MOST, replace=False))
