"""A plane for vectors that come without one: their two first principal components."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_ROWS = 10_000
"""Rows that the components are found on; all rows are projected."""


def project(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
    """Coordinates of each vector along the two directions of most variance, with signs that do not depend on chance.

    A direction without variance (one row, one dimension, equal rows) gives zeros.
    """
    centre = vectors.mean(0, dtype=np.float64).astype(np.float32)
    some = vectors[:: -(-len(vectors) // _ROWS)] - centre
    values, directions = np.linalg.eigh(some.T @ some)
    first = directions[:, ::-1][:, :2].copy()
    first[:, values[::-1][:2] <= 1e-12 * max(float(values[-1]), 1e-30)] = 0
    first *= np.where(first[np.abs(first).argmax(0), range(first.shape[1])] < 0, -1, 1)
    out = np.zeros((len(vectors), 2), np.float32)
    out[:, : first.shape[1]] = vectors @ first - centre @ first  # no second table of a million rows
    return out
