"""How vectors fill their space: isotropy, effective dimensions, outlying dimensions, hubs and norms, with intervals."""

from __future__ import annotations

import time

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.core.labels import Column, group_codes
from workbench.core.vectors import are_unit, live, require_finite, unit
from workbench.probe._cloud import NEAREST, TOP, Cloud
from workbench.results.geometry import Geometry, Measured, Outlier, Spectrum

LEAST = 100
"""Fewest vectors that are measured."""
_FEWEST = 5
"""With fewer documents than this, every text counts as one."""
_OUTLIER = 5.0
"""Times the mean square of the mean dimension from which on a dimension is an outlier."""
_POINTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def measure_geometry(
    vectors: Float[np.ndarray, "n d"],
    groups: Column | None = None,
    embedder: str = "vectors",
    about: str = "",
    seed: int = 0,
) -> Geometry:
    """What the cloud of n vectors looks like, beside Gaussian clouds of the same size; `groups` are their documents.

    Raises BadInput for fewer than 100 vectors, fewer than two dimensions, NaN, zero vectors, or vectors that are all
    alike.
    """
    began = time.monotonic()
    _require(vectors)
    random = np.random.default_rng([seed, 7])
    rows = np.arange(len(vectors))
    documents = rows if groups is None else group_codes(groups, len(vectors))
    documents = documents if documents.max() + 1 >= _FEWEST else rows
    ours = Cloud(vectors.astype(np.float64), documents, seed)
    lengths = np.linalg.norm(ours.vectors, axis=1)
    normalised = are_unit(vectors)
    even = Cloud(gaussian_even(ours.vectors, random), rows, seed)
    shaped = Cloud(gaussian_like(ours.vectors, random), rows, seed)
    one, two, three = (cloud.measures() for cloud in (ours, even, shaped))
    decided = ("mean_cosine", "iso_score", "participation", "components_90", "top_share")
    measured = {name: Measured(one[name], two[name], None if name in decided else three[name]) for name in one}
    energy = np.square(ours.vectors).mean(0)
    times = energy / energy.mean()
    points = sorted({point for point in _POINTS if point < min(vectors.shape)})
    return Geometry(
        embedder=embedder,
        about=about,
        n=len(vectors),
        dim=vectors.shape[1],
        groups=int(documents.max()) + 1,
        normalised=normalised,
        seed=seed,
        k=NEAREST,
        **measured,
        norm_limits=(float(lengths.min()), float(lengths.max())),
        dead=tuple(np.flatnonzero(~live(ours.vectors)).tolist()),
        outliers=tuple(
            Outlier(int(place), float(times[place])) for place in np.argsort(-times) if times[place] > _OUTLIER
        ),
        spectrum=tuple(Spectrum(point, _share(ours, point), _share(even, point)) for point in points),
        seconds=time.monotonic() - began,
    )


def gaussian_even(vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
    """As many Gaussian vectors, alike in all directions, with the same mean square; of length 1 where `vectors` are."""
    scale = np.sqrt(np.square(vectors).mean())
    return _of_the_same_length(scale * random.standard_normal(vectors.shape), vectors)


def gaussian_like(vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
    """As many Gaussian vectors with the same mean and covariance; of length 1 where `vectors` are."""
    centre = vectors.mean(0)
    _, sizes, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    drawn = random.standard_normal((len(vectors), len(sizes))) * sizes / np.sqrt(len(vectors))
    return _of_the_same_length(centre + drawn @ axes, vectors)


def _share(cloud: Cloud, components: int) -> float:
    return float(cloud.variances[:components].sum() / cloud.variances.sum())


def _of_the_same_length(drawn: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return unit(drawn) if np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-3 else drawn


def _require(vectors: Float[np.ndarray, "n d"]) -> None:
    if len(vectors) < LEAST or vectors.shape[1] < TOP:
        raise BadInput(f"vectors has shape {vectors.shape}; expected at least {LEAST} vectors of {TOP} dimensions")
    require_finite(vectors)
    zero = np.flatnonzero(~vectors.any(axis=1))
    if len(zero):
        raise BadInput(f"row {zero[0]} is a zero vector, which has no direction; leave such rows out")
    if (vectors == vectors[0]).all():
        raise BadInput(f"all {len(vectors)} vectors are alike; give texts that differ")
