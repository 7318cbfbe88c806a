"""Statistics of a set of vectors in the space of an embedder, by which its own sets and those of others differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.vectors import unit

_FLOOR = 1e-2
"""Least variance of a direction, relative to the mean one."""
_BANDS = 5
"""Groups of principal axes, from the widest to the narrowest, whose energy is compared."""

FEATURES = (
    "distance from the mean",
    "spread of that distance",
    "similarity to the nearest public text",
    "similarity to the three nearest public texts",
    "similarity to the nearest public text, not whitened",
    "spread of the similarities to public texts, not whitened",
    "spread of the similarities to public texts",
    *(f"variance in band {band + 1} of {_BANDS} of the principal axes" for band in range(_BANDS)),
    "length of the mean vector",
    "direction of the mean vector",
    "pattern of variances over the dimensions",
    "pattern of variances over the principal axes",
    "slope of variances over the principal axes",
    "spread of the similarities within the set",
    "distance of the set's mean from the embedder's",
    "tails of the distribution along the principal axes",
)


@dataclass(frozen=True, eq=False)
class Cloud:
    """How one embedder fills its space, by r vectors of public texts: mean, principal axes, and the vectors."""

    mean: Float[np.ndarray, " d"]
    whitening: Float[np.ndarray, "d d"]
    public: Float[np.ndarray, "r d"]
    """Whitened, of length 1."""
    public_plain: Float[np.ndarray, "r d"]
    """Centred, of length 1."""
    variances: Float[np.ndarray, " d"]
    """Of each dimension, with the floor added."""
    bands: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, vectors: Float[np.ndarray, "r d"]) -> Cloud:
        """The cloud of an embedder's vectors of public texts."""
        vectors = vectors.astype(np.float64)
        mean = vectors.mean(0)
        centred = vectors - mean
        spread, axes = np.linalg.eigh(centred.T @ centred / len(centred))
        floor = _FLOOR * spread.mean()
        white = axes[:, ::-1] / np.sqrt(np.maximum(spread[::-1], floor))
        return cls(
            mean,
            white,
            unit(centred @ white).astype(np.float32),
            unit(centred).astype(np.float32),
            centred.var(0) + floor,
            tuple(np.array_split(np.arange(len(spread)), min(_BANDS, len(spread)))),
        )

    def features(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " f"]:
        """The statistics of FEATURES for a set of n vectors; those that need more than two vectors are 0 without."""
        n = len(vectors)
        centred = vectors - self.mean
        white = centred @ self.whitening
        far = np.log(np.square(white).mean(1) + 1e-9)
        directions = unit(white).astype(np.float32)
        cosines = directions @ self.public.T
        plain = unit(centred).astype(np.float32) @ self.public_plain.T
        near = np.partition(cosines, -3, axis=1)[:, -3:]
        energy = np.square(white).mean(0)
        bands = [np.log(energy[band].mean() + 1e-9) for band in self.bands]
        bands += [bands[-1]] * (_BANDS - len(bands))
        centre = vectors.mean(0)
        size, own = np.linalg.norm(centre), np.linalg.norm(self.mean)
        found = [
            far.mean(),
            far.std(),
            near.max(1).mean(),
            near.mean(),
            plain.max(1).mean(),
            plain.std(1).mean(),
            cosines.std(1).mean(),
            *bands,
            np.log(size + 1e-3),
            float(centre @ self.mean) / (size * own + 1e-9),
        ]
        return np.array(found + (self._inner(vectors, white, directions) if n > 2 else [0.0] * 6))

    def _inner(self, vectors: np.ndarray, white: np.ndarray, directions: np.ndarray) -> list[float]:
        """Statistics of vectors with each other."""
        n, d = white.shape
        floor = _FLOOR * self.variances.mean()
        spread = white.var(0)
        along = np.log(spread + _FLOOR)
        pairs = (directions @ directions.T)[~np.eye(n, dtype=bool)]
        tails = (np.square(white - white.mean(0)) ** 2).mean(0) / np.maximum(np.square(spread), 1e-9)
        moved = vectors.mean(0) - self.mean
        slope = np.corrcoef(np.arange(d), along)[0, 1] if along.std() > 0 else 0.0
        return [
            float(np.log((vectors.var(0) + floor) / self.variances).std()),
            float(along.std()),
            float(slope),
            float(pairs.std()),
            float(np.log(np.square(moved).sum() / (np.square(vectors - self.mean).sum(1).mean() + 1e-12) + 1e-9)),
            float(np.log(tails + 1e-9).mean()),
        ]
