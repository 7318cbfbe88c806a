"""A map between two spaces from few pairs or none: what is alike in one is alike in the other (after mini-vec2vec)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment, quadratic_assignment
from sklearn.cluster import KMeans

from workbench.core.errors import BadInput
from workbench.core.progress import progress
from workbench.core.vectors import require_finite, unit
from workbench.invert._align import LinearMap, mean_cosine, rotation_of

CLUSTERS = 20
FEWEST = 10 * CLUSTERS
"""Fewest vectors of a side, and far from enough for most embedders."""
_RUNS = 24
"""Independent clusterings; each pair of matched centroids is one more axis on which both spaces can be compared."""
_STARTS = 8
"""Starts of each quadratic assignment."""
_GROUPS = (2, 6, 12, 24)
"""So many of the best matched clusterings make a first map each; the one that fits best is refined."""
_SAMPLE, _ASKED = 8_000, 4_000
"""Most vectors of either side that one step looks at, and of those to map that it matches with neighbours."""
_BLOCK = 1024
_NEIGHBOURS = 10
_SHORT, _LONG = 8, 40
"""Rounds of refinement of each first map, and of the best one."""
_SEEDED = 30
"""Rounds of refinement of a map that pairs began."""
_KEPT = 0.5
"""Share of the former map that stays in a round."""
_FINE = 400
"""Most clusters of the refinement that looks at the spaces from farther off."""


class _Anchors(NamedTuple):
    """Matched centroids of one clustering; `fit` is the correlation of their likenesses."""

    fit: float
    a: Float[np.ndarray, "k d"]
    b: Float[np.ndarray, "k e"]


def fit_unpaired_map(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "m e"], seed: int = 0) -> LinearMap:
    """A rotation (or projection) between two spaces from vectors of different texts of the same kind.

    Clusters of both spaces are matched by how like each other they are; cosines to matched clusters then are a language
    that both spaces speak, in which each vector finds its like; Procrustes on these pseudo-pairs is refined by matching
    mapped vectors with their neighbours (mini-vec2vec, Dar 2025). Whether it worked cannot be seen without pairs.
    Raises BadInput for fewer than 200 vectors on a side, and for NaN.
    """
    spaces = _Spaces(a, b, seed)
    return spaces.map_of(spaces.aligned(), "unpaired")


def fit_seeded_map(
    pairs_a: Float[np.ndarray, "k d"],
    pairs_b: Float[np.ndarray, "k e"],
    a: Float[np.ndarray, "n d"],
    b: Float[np.ndarray, "m e"],
    seed: int = 0,
) -> LinearMap:
    """As `fit_unpaired_map`, but k pairs begin it, where it most often fails: ten can do with thousands of others.

    After its rounds nothing of the beginning is left but the direction in which it led, so its cosine on the pairs is
    as good as held out.
    """
    spaces = _Spaces(a, b, seed)
    found = spaces.map_of(spaces.refined(spaces.turned_by(pairs_a, pairs_b), _SEEDED), "seeded")
    return replace(found, held_out=mean_cosine(found.apply(pairs_a), pairs_b))


class _Spaces:
    """Two clouds of centred vectors, and rotations of one onto the other; all comparisons are by cosine."""

    def __init__(self, a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "m e"], seed: int) -> None:
        for side, what in ((a, "the vectors to map"), (b, "the vectors to map to")):
            require_finite(side, what)
            if len(side) < FEWEST:
                raise BadInput(f"{what} are {len(side)}; without pairs at least {FEWEST} are needed, better thousands")
        a, b = unit(a.astype(np.float64)), unit(b.astype(np.float64))
        self.mean_a, self.mean_b = a.mean(0), b.mean(0)
        self.a, self.b = a - self.mean_a, b - self.mean_b
        self._random = np.random.default_rng(seed)

    def map_of(self, rotation: Float[np.ndarray, "d e"], kind: Literal["seeded", "unpaired"]) -> LinearMap:
        """A rotation with the means, and with the scale that makes both clouds as wide."""
        turned = self.a @ rotation
        scale = np.linalg.norm(self.b) / np.linalg.norm(turned) * np.sqrt(len(self.a) / len(self.b))
        return LinearMap(scale * rotation, self.mean_a, self.mean_b, kind)

    def turned_by(self, a: Float[np.ndarray, "k d"], b: Float[np.ndarray, "k e"]) -> Float[np.ndarray, "d e"]:
        """The rotation of some pairs onto each other."""
        here, there = unit(a.astype(np.float64)) - self.mean_a, unit(b.astype(np.float64)) - self.mean_b
        return rotation_of(unit(here).T @ unit(there))

    def aligned(self) -> Float[np.ndarray, "d e"]:
        """The rotation that fits best."""
        anchors = sorted(self._anchors(), key=lambda each: -each.fit)
        first = [self.refined(self._first(anchors[:size]), _SHORT) for size in _GROUPS]
        best = max(first, key=self._fit)
        with progress("align", 3, "stages") as advance:
            for neighbours in (_NEIGHBOURS, _NEIGHBOURS // 2, 1):
                best = max(best, self.refined(self._by_clusters(best), _LONG, neighbours), key=self._fit)
                advance(1)
        return best

    def _anchors(self) -> list[_Anchors]:
        found = []
        with progress("match clusters", _RUNS, "clusterings") as advance:
            for _ in range(_RUNS):
                a, b = (self._centroids(self._some(side), CLUSTERS) for side in (self.a, self.b))
                fit, order = _matched(a @ a.T, b @ b.T, self._random)
                found.append(_Anchors(fit, a, b[order]))
                advance(1)
        return found

    def _first(self, anchors: list[_Anchors]) -> np.ndarray:
        """Procrustes on each vector and the mean of those that stand likewise to the matched centroids."""
        a, b = self._some(self.a, _ASKED), self._some(self.b)
        seen_a = np.hstack([a @ each.a.T for each in anchors])
        seen_b = np.hstack([b @ each.b.T for each in anchors])
        like = [(seen - seen.mean(0)) / (seen.std(0) + 1e-12) for seen in (seen_a, seen_b)]
        return rotation_of(a.T @ _neighbours(unit(like[0]), unit(like[1]), b, _NEIGHBOURS))

    def refined(self, rotation: np.ndarray, rounds: int, neighbours: int = _NEIGHBOURS) -> np.ndarray:
        """Each mapped vector is matched with its nearest neighbours, and the rotation refitted, smoothly."""
        for _ in range(rounds):
            a, b = self._some(self.a, _ASKED), self._some(self.b)
            fresh = rotation_of(a.T @ _neighbours(unit(a @ rotation), b, b, neighbours))
            rotation = rotation_of(_KEPT * rotation + (1 - _KEPT) * fresh)
        return rotation

    def _by_clusters(self, rotation: np.ndarray) -> np.ndarray:
        """Procrustes on fine clusters: those of one space, mapped, are where those of the other begin."""
        a, b = self._some(self.a), self._some(self.b)
        count = min(_FINE, len(a) // 10, len(b) // 10)
        here = self._centroids(a, count)
        there = _kmeans(b, count, init=unit(here @ rotation), n_init=1, max_iter=20)
        return rotation_of(here.T @ there)

    def _fit(self, rotation: np.ndarray) -> float:
        """Mean cosine of mapped vectors with their nearest neighbours: all that can be seen without pairs."""
        a, b = unit(self.a[:_ASKED]), unit(self.b[:_SAMPLE])
        return float((unit(a @ rotation) @ b.T).max(1).mean())

    def _centroids(self, vectors: np.ndarray, count: int) -> np.ndarray:
        seed = int(self._random.integers(2**31))
        return _kmeans(vectors, count, n_init=3, max_iter=50, random_state=seed)

    def _some(self, vectors: np.ndarray, most: int = _SAMPLE) -> np.ndarray:
        chosen = self._random.permutation(len(vectors))[:most]
        return unit(vectors[chosen])


def _kmeans(vectors: np.ndarray, count: int, **options: Any) -> np.ndarray:
    return unit(KMeans(count, **options).fit(vectors).cluster_centers_)


def _matched(a: np.ndarray, b: np.ndarray, random: np.random.Generator) -> tuple[float, np.ndarray]:
    """The order of the second objects in which two tables of likeness agree best, and their correlation then."""
    profiles = np.sort(a, axis=1), np.sort(b, axis=1)
    _, likely = linear_sum_assignment(np.linalg.norm(profiles[0][:, None] - profiles[1][None], axis=2))
    starts: list[str | np.ndarray] = [np.eye(len(a))[likely], *["randomized"] * (_STARTS - 1)]
    found = []
    for start in starts:
        options = {"maximize": True, "P0": start, "rng": random}
        found.append(quadratic_assignment(a, b, method="faq", options=options))
    order = max(found, key=lambda each: each.fun).col_ind
    above = np.triu_indices(len(a), 1)
    return float(np.corrcoef(a[above], b[np.ix_(order, order)][above])[0, 1]), order


def _neighbours(asked: np.ndarray, keys: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """For each row of `asked` the mean of the values whose keys are the nearest by cosine, to unit length."""
    left, right = (torch.from_numpy(side.astype(np.float32)) for side in (asked, keys))
    nearest = [(block @ right.T).topk(count).indices.numpy() for block in left.split(_BLOCK)]
    return unit(np.concatenate([values[rows].mean(1) for rows in nearest]))
