"""Clusters of vectors with the words of their texts, beside what k-means cuts out of a cloud without any clusters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from workbench.core import estimate
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.core.progress import progress
from workbench.core.vectors import require_finite, unit
from workbench.probe._feature_names import FeatureNames, name_features, separation
from workbench.probe._geometry import gaussian_like
from workbench.results.clusters import Cluster, Clusters

LEAST_A_CLUSTER = 10
_HELD_OUT = 5
"""One text in so many is held out."""
_OTHERS = 5
"""Other seeds that the clusters are compared with."""
_CENTRAL, _LEAST_TESTED = 2, 5


@dataclass(frozen=True, eq=False)
class Clustering:
    """The result, and the unit centroids of its rows, which an explainer can name."""

    clusters: Clusters
    centroids: Float[np.ndarray, "k d"]


def find_clusters(
    vectors: Float[np.ndarray, "n d"],
    texts: Sequence[str],
    clusters: int,
    groups: Shaped[np.ndarray, " n"] | None = None,
    embedder: str = "vectors",
    about: str = "",
    seed: int = 0,
) -> Clustering:
    """k-means on the directions of n vectors; every fifth text is held out of it, and of the naming by words.

    Raises BadInput for fewer than 2 clusters or than 10 texts a cluster, and for NaN.
    """
    began = time.monotonic()
    n = len(vectors)
    if clusters < 2 or n < LEAST_A_CLUSTER * clusters or len(texts) != n:
        raise BadInput(
            f"{clusters} clusters of {n} vectors with {len(texts)} texts; expected at least 2 clusters, "
            f"{LEAST_A_CLUSTER} vectors for each, and a text a vector"
        )
    require_finite(vectors)
    random = np.random.default_rng([seed, 11])
    points = unit(vectors.astype(np.float64))
    learnt = np.ones(n, bool)
    learnt[random.permutation(n)[: n // _HELD_OUT]] = False
    with progress("cluster", 2 + _OTHERS, "runs of k-means") as advance:
        found = _by_size(_kmeans(points, learnt, clusters, seed))
        advance(1)
        again = []
        for other in range(_OTHERS):
            again.append(_agreement(found, _kmeans(points, learnt, clusters, seed + 1 + other)))
            advance(1)
        drawn = unit(gaussian_like(points, random))
        floor = _silhouettes(drawn, _by_size(_kmeans(drawn, learnt, clusters, seed)))
        advance(1)
    apart = _silhouettes(points, found)
    count = int(found.max()) + 1
    names = name_features(texts, [np.flatnonzero(learnt & (found == place)) for place in range(count)])
    separations = _separations(names, texts, found, ~learnt)
    centroids = unit(np.stack([points[found == place].mean(0) for place in range(count)]))
    rows = []
    for place in range(count):
        members = np.flatnonzero(found == place)
        nearest = members[np.argsort(-(points[members] @ centroids[place]), kind="stable")[:_CENTRAL]]
        rows.append(
            Cluster(
                number=place + 1,
                size=len(members),
                silhouette=_mean(apart[members], None if groups is None else groups[members], seed),
                words=names.of(place),
                separation=separations[place],
                central=tuple(str(texts[row]) for row in nearest.tolist()),
                nearest=float(points[nearest[0]] @ centroids[place]),
            )
        )
    told = [each.value for each in separations if each]
    result = Clusters(
        embedder=embedder,
        about=about,
        texts=n,
        held_out=int((~learnt).sum()),
        seed=seed,
        silhouette=_mean(apart, groups, seed),
        floor=_mean(floor, None, seed),
        stability=_mean(np.array(again), None, seed),
        naming=_mean(np.array(told), None, seed) if told else None,
        rows=tuple(rows),
        seconds=time.monotonic() - began,
    )
    return Clustering(result, centroids)


def _kmeans(
    points: Float[np.ndarray, "n d"], learnt: Bool[np.ndarray, " n"], clusters: int, seed: int
) -> Int[np.ndarray, " n"]:
    """For each point its cluster; those that are not learnt have no say in where the clusters are."""
    from sklearn.cluster import MiniBatchKMeans

    start: Any = 3  # the stubs know of "auto" alone
    fitted = MiniBatchKMeans(clusters, n_init=start, batch_size=1024, random_state=seed).fit(points[learnt])
    return np.asarray(fitted.predict(points), np.int64)


def _by_size(found: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Numbers in the order of the clusters' sizes; empty clusters are gone."""
    _, places, sizes = np.unique(found, return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return rank[places].astype(np.int64)


def _agreement(a: Int[np.ndarray, " n"], b: Int[np.ndarray, " n"]) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(a, b))


def _silhouettes(points: Float[np.ndarray, "n d"], found: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """By cosine; 0 where all points fell into one cluster."""
    from sklearn.metrics import silhouette_samples

    if not found.max():
        return np.zeros(len(found))
    return np.asarray(silhouette_samples(points, found, metric="cosine"), np.float64)


def _separations(
    names: FeatureNames, texts: Sequence[str], found: Int[np.ndarray, " n"], tested: Bool[np.ndarray, " n"]
) -> list[Estimate | None]:
    """How well each cluster's words foretell it on the tested texts."""
    rows = np.flatnonzero(tested)
    scores = names.foretell([str(texts[row]) for row in rows.tolist()]).toarray()
    out: list[Estimate | None] = []
    for place in range(int(found.max()) + 1):
        inside = found[rows] == place
        enough = min(inside.sum(), (~inside).sum()) >= _LEAST_TESTED
        out.append(separation(scores[:, place], inside) if enough else None)
    return out


def _mean(values: Float[np.ndarray, " m"], groups: Shaped[np.ndarray, " m"] | None, seed: int) -> Estimate:
    return estimate.mean(values, groups, seed)
