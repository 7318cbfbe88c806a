"""Linear maps from the space of one embedder to that of another, fitted on pairs: ridge and Procrustes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, svd

from workbench.core.errors import BadInput
from workbench.core.vectors import require_finite, unit

LAMBDAS = tuple(float(x) for x in np.logspace(-10, 1, 23))
"""Ridge penalties that are tried, in units of the largest squared singular value of the centred vectors."""
_FOLDS = 10
_MEAN_WEIGHT = 1e-3
"""What the pair of means weighs in Procrustes, in pairs: enough to fix the one axis that centring takes away."""
_ROUNDING = 1e-13
"""Singular values below this share of the largest are rounding, and their axes are not mapped."""


@dataclass(frozen=True, eq=False)
class LinearMap:
    """An affine map between two spaces of unit vectors, and what held-out pairs say of it (NaN where none were)."""

    matrix: Float[np.ndarray, "d e"]
    mean_from: Float[np.ndarray, " d"]
    mean_to: Float[np.ndarray, " e"]
    kind: Literal["ridge", "procrustes", "seeded", "unpaired"]
    penalty: float = 0.0
    held_out: float = np.nan
    """Mean cosine of mapped vectors with the true ones, on pairs that did not fit it (NaN where none were)."""

    def apply(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n e"]:
        """Unit vectors in the other space, float32; the length of what comes in does not matter."""
        if vectors.shape[1] != len(self.mean_from):
            raise BadInput(f"vectors have {vectors.shape[1]} dimensions; this map expects {len(self.mean_from)}")
        centred = unit(vectors.astype(np.float64)) - self.mean_from
        return unit(centred @ self.matrix + self.mean_to).astype(np.float32)


class _Centred(NamedTuple):
    a: Float[np.ndarray, "n d"]
    b: Float[np.ndarray, "n e"]
    mean_a: Float[np.ndarray, " d"]
    mean_b: Float[np.ndarray, " e"]


def fit_ridge_map(
    a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n e"], lambdas: Sequence[float] = LAMBDAS
) -> LinearMap:
    """Ridge regression from the rows of `a` to those of `b`, its penalty chosen by closed-form leave-one-out.

    The penalty grows by itself where pairs are about as many as dimensions, so the error has no peak there. Raises
    BadInput for fewer than two pairs, for unequal numbers of rows, and for NaN.
    """
    pairs = _centred(a, b)
    u, s, vt = _svd(pairs.a)
    penalties = _penalties(s, lambdas)
    best, residuals = _best(u, s, pairs.b, penalties)
    matrix = (vt.T * (s / (s**2 + best))) @ (u.T @ pairs.b)
    predicted = pairs.b + pairs.mean_b - residuals
    return LinearMap(matrix, pairs.mean_a, pairs.mean_b, "ridge", best, mean_cosine(predicted, pairs.b + pairs.mean_b))


def loo_residuals(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n e"], penalty: float) -> Float[np.ndarray, "n e"]:
    """True row less the row that ridge with `penalty` foretells without that pair; means are refitted as well."""
    pairs = _centred(a, b)
    u, s, _ = _svd(pairs.a)
    return _left_out(u, s, pairs.b, penalty)


def fit_procrustes(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n e"]) -> LinearMap:
    """The rotation (or, for d > e, projection) and scale that bring the centred rows of `a` next to those of `b`.

    From the singular vectors of the cross-covariance (Schoenemann 1966), so dimensions may differ. Axes that no pair
    tells anything of are not mapped, rather than at random. Raises BadInput as `fit_ridge_map` does.
    """
    pairs = _centred(a, b)
    rotation = rotation_of(pairs.a.T @ pairs.b + _MEAN_WEIGHT * np.outer(pairs.mean_a, pairs.mean_b))
    turned = pairs.a @ rotation
    size = np.square(turned).sum()
    scale = (turned * pairs.b).sum() / size if size > 0 else 1.0
    return LinearMap(scale * rotation, pairs.mean_a, pairs.mean_b, "procrustes")


def rotation_of(crossed: Float[np.ndarray, "d e"]) -> Float[np.ndarray, "d e"]:
    """The partial isometry nearest to a cross-covariance; axes of no covariance are left out."""
    u, s, vt = _svd(crossed)
    known = s > max(_ROUNDING * s[0], 1e-300)
    return u[:, known] @ vt[known]


def fit_paired_map(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n e"], seed: int = 0) -> LinearMap:
    """Ridge or Procrustes, whichever foretells pairs better that it has not seen (the setting of Chen et al. 2025).

    Ridge is judged by leave-one-out, Procrustes by ten folds (or as many as there are pairs), both by mean cosine.
    Raises BadInput as `fit_ridge_map` does.
    """
    ridge, turn = fit_ridge_map(a, b), fit_procrustes(a, b)
    fold = np.random.default_rng(seed).permutation(len(a)) % min(_FOLDS, len(a))
    if len(a) < 3:  # a fold would leave one pair, which tells of no direction
        return ridge
    foretold = np.empty(b.shape)
    for number in range(fold.max() + 1):
        out = fold == number
        foretold[out] = fit_procrustes(a[~out], b[~out]).apply(a[out])
    held_out = mean_cosine(foretold, b)
    if ridge.held_out >= held_out:
        return ridge
    return LinearMap(turn.matrix, turn.mean_from, turn.mean_to, "procrustes", held_out=held_out)


def _centred(a: np.ndarray, b: np.ndarray) -> _Centred:
    if len(a) != len(b):
        raise BadInput(f"{len(a)} vectors on one side but {len(b)} on the other; expected pairs")
    if len(a) < 2:
        raise BadInput(f"a map needs at least 2 pairs to be fitted; got {len(a)}")
    for side in (a, b):
        require_finite(side, "the pairs")
    a, b = unit(a.astype(np.float64)), unit(b.astype(np.float64))
    mean_a, mean_b = a.mean(0), b.mean(0)
    return _Centred(a - mean_a, b - mean_b, mean_a, mean_b)


def _penalties(s: np.ndarray, lambdas: Sequence[float]) -> list[float]:
    return [max(s[0] ** 2, 1e-12) * each for each in lambdas]


def _best(u: np.ndarray, s: np.ndarray, b: np.ndarray, penalties: Sequence[float]) -> tuple[float, np.ndarray]:
    left_out = {penalty: _left_out(u, s, b, penalty) for penalty in penalties}
    best = min(left_out, key=lambda penalty: np.square(left_out[penalty]).sum())
    return best, left_out[best]


def _left_out(u: np.ndarray, s: np.ndarray, b: np.ndarray, penalty: float) -> np.ndarray:
    """Residuals of ridge over one less the leverage, that of the mean counted: exact leave-one-out."""
    share = s**2 / (s**2 + penalty)
    leverage = (np.square(u) * share).sum(1) + 1 / len(u)
    return (b - (u * share) @ (u.T @ b)) / np.maximum(1 - leverage, 1e-12)[:, None]


def mean_cosine(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n d"]) -> float:
    """Mean over rows."""
    return float((unit(a) * unit(b)).sum(1).mean())


def _svd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        return svd(matrix, full_matrices=False)
    except LinAlgError:  # divide and conquer gives up on some matrices of low rank
        return svd(matrix, full_matrices=False, lapack_driver="gesvd")
