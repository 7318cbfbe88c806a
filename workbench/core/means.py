"""Means of kinds of numbers that the workbench reports, with the interval that fits the kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from workbench.core import few
from workbench.core.estimate import Estimate, mean, mean_share, proportion
from workbench.core.labels import Column, group_codes

_SINGLE = 1e-6
"""By how much a cosine in single precision may be off 1 and still be at it."""


def hit_share(
    hits: Bool[np.ndarray, " n"],
    groups: Column | None = None,
    seed: int = 0,
) -> Estimate:
    """`proportion` of hits; where the items are of fewer than 30 groups, the groups are counted, not the items."""
    count = len(hits) if groups is None else len(np.unique(group_codes(groups, len(hits))))
    if count == len(hits) or count >= few.FEW:
        return proportion(int(hits.sum()), len(hits))
    return mean_share(hits.astype(np.float64), groups, seed)


def mean_gain(
    gains: Float[np.ndarray, " n"] | Sequence[float],
    groups: Column | None = None,
    seed: int = 0,
) -> Estimate:
    """`mean` of paired differences of shares (from -1 to 1); where none differs, the exact limit both ways."""
    gains = np.asarray(gains, dtype=np.float64)
    found = mean(gains, groups, seed, (-1.0, 1.0))
    if gains.any() or not found.has_interval:
        return found
    limit = proportion(0, found.n).high
    return Estimate(0.0, -limit, limit, found.n, "Clopper-Pearson")


def mean_cosine(
    values: Float[np.ndarray, " n"] | Sequence[float],
    groups: Column | None = None,
    seed: int = 0,
) -> Estimate:
    """`mean` of cosines: its limits stay within -1 and 1; where all are 1 (or all -1), the exact limit.

    Few cosines get the stretched t interval, not the bounded one: their range is wide and their spread is small.
    """
    found = mean(values, groups, seed)
    if abs(abs(found.value) - 1) <= _SINGLE:
        return mean(np.sign(values), groups, seed, (-1.0, 1.0))
    return replace(found, low=max(found.low, -1.0), high=min(found.high, 1.0)) if found.has_interval else found
