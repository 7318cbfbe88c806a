"""Whether one method is better than another on the same items, and which of many such claims hold together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.core.labels import Column, group_codes

FLIPS = 9_999
LEVEL = 0.05
"""Below this (adjusted) p-value a claim is made."""


def sign_flip(gains: Float[np.ndarray, " n"], groups: Column | None = None, seed: int = 0) -> float:
    """One-sided p-value of "the gains are above 0 on the whole", by flipping the signs of whole groups at random.

    `gains` are paired differences, an item each. Exact in the limit of many flips where gains are symmetric around 0
    (Fisher's randomisation test); the observed signs count as one of the draws, so p is never 0.
    """
    gains = np.asarray(gains, dtype=np.float64)
    if gains.ndim != 1 or not len(gains) or not np.isfinite(gains).all():
        raise BadInput(f"a test needs at least one finite gain in one dimension, got shape {gains.shape}")
    sums = gains if groups is None else np.bincount(group_codes(groups, len(gains)), gains)
    rng, hits = np.random.default_rng(seed), 0
    for start in range(0, FLIPS, 1000):
        signs = rng.integers(0, 2, size=(min(1000, FLIPS - start), len(sums)), dtype=np.int8) * 2 - 1
        hits += int((signs @ sums >= sums.sum() - 1e-9).sum())
    return (hits + 1) / (FLIPS + 1)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's (1979) adjusted p-values, in the order given: those below a level hold together at that level."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.size and not ((values >= 0) & (values <= 1)).all():
        raise BadInput(f"p-values are {values.tolist()}; expected numbers from 0 to 1")
    order = np.argsort(values, kind="stable")
    steps = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(steps) if len(steps) else steps
    return tuple(adjusted.tolist())
