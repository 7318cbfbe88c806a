"""Numbers that carry their interval: a value, its limits, how many items, and by which method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from workbench.core.errors import BadInput

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A measured number with its 95% interval.

    `value`, `low` and `high` share one unit, which the place of use states; `n` counts the independent items.
    """

    value: float
    low: float
    high: float
    n: int
    method: str

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int = 3, scale: float = 1.0) -> str:
        """`value [low, high]`, each times `scale`."""
        return f"{scale * self.value:.{digits}f} {self.interval(digits, scale)}"

    def interval(self, digits: int = 2, scale: float = 1.0) -> str:
        """`[low, high]`, each times `scale`."""
        return f"[{scale * self.low:.{digits}f}, {scale * self.high:.{digits}f}]"


def proportion(hits: int, n: int) -> Estimate:
    """Share of `n` items that were hits, with the Wilson score interval; Clopper-Pearson where hits are 0 or n.

    The percentile bootstrap would give [0, 0] for no hits; an exact interval says what the sample could have missed.
    """
    from scipy.stats import binomtest

    if not 0 <= hits <= n or n < 1:
        raise BadInput(f"{hits} hits of {n} items; expected 0 <= hits <= n and n >= 1")
    method = "exact" if hits in (0, n) else "wilson"
    interval = binomtest(hits, n).proportion_ci(0.95, method=method)
    name = "Clopper-Pearson" if method == "exact" else "Wilson"
    return Estimate(hits / n, float(interval.low), float(interval.high), n, name)


def exact_proportion(hits: int, n: int) -> Estimate:
    """Share of `n` items that were hits, with Clopper and Pearson's interval, which holds at any rate, however low."""
    from scipy.stats import binomtest

    if not 0 <= hits <= n or n < 1:
        raise BadInput(f"{hits} hits of {n} items; expected 0 <= hits <= n and n >= 1")
    interval = binomtest(hits, n).proportion_ci(0.95, method="exact")
    return Estimate(hits / n, float(interval.low), float(interval.high), n, "Clopper-Pearson")


def mean(
    values: Float[np.ndarray, " n"] | Sequence[float],
    groups: Shaped[np.ndarray, " n"] | Sequence[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Mean of `values` with a bootstrap interval; with `groups`, whole groups (documents, persons) are resampled."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise BadInput(f"a mean needs at least one finite number in one dimension, got shape {values.shape}")
    return _resampled(float(values.mean()), values, np.ones(len(values)), groups, seed, "bootstrap")


def ratio(
    above: Float[np.ndarray, " n"],
    below: Float[np.ndarray, " n"],
    groups: Shaped[np.ndarray, " n"] | None = None,
    seed: int = 0,
) -> Estimate:
    """sum(above) / sum(below) with a bootstrap interval over items, or over whole groups; `below` is never negative."""
    return _resampled(float(above.sum() / below.sum()), above, below, groups, seed, "bootstrap of a ratio")


def _resampled(
    value: float,
    above: Float[np.ndarray, " n"],
    below: Float[np.ndarray, " n"],
    groups: Shaped[np.ndarray, " n"] | Sequence[Any] | None,
    seed: int,
    way: str,
) -> Estimate:
    labels = np.arange(len(above)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    sums, sizes = np.bincount(labels, above), np.bincount(labels, below)
    n = len(sums)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    low, high = np.percentile((draws @ sums) / np.maximum(draws @ sizes, 1e-300), [2.5, 97.5])
    method = f"{way}, {RESAMPLES} resamples" + ("" if groups is None else f" of {n} groups")
    return Estimate(value, float(low), float(high), n, method)


def mean_share(
    values: Float[np.ndarray, " n"] | Sequence[float],
    groups: Shaped[np.ndarray, " n"] | Sequence[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """`mean` of numbers between 0 and 1; where all are 0 or all are 1, with Clopper and Pearson's interval.

    The bootstrap of a sample without variance has no width; a share of 0 in n groups still may be up to 1 - .025^(1/n).
    """
    estimate = mean(values, groups, seed)
    if estimate.value in (0.0, 1.0):
        return proportion(round(estimate.value) * estimate.n, estimate.n)
    return estimate


def auc(
    positive: Float[np.ndarray, " p"] | Sequence[float],
    negative: Float[np.ndarray, " q"] | Sequence[float],
    seed: int = 0,
) -> Estimate:
    """Area under the ROC curve: how often a positive scores above a negative, ties half; bootstrap over both sides.

    Where the two are fully apart the bootstrap has no width; then the interval is Clopper and Pearson's for as many
    trials as there are items on the smaller side.
    """
    positive, negative = np.sort(np.asarray(positive, float)), np.sort(np.asarray(negative, float))
    if not len(positive) or not len(negative) or not np.isfinite([positive.sum(), negative.sum()]).all():
        raise BadInput(f"AUC needs finite scores on both sides, got {len(positive)} and {len(negative)}")
    below = np.searchsorted(negative, positive, "left"), np.searchsorted(negative, positive, "right")
    rng = np.random.default_rng(seed)
    p, q, n = len(positive), len(negative), min(len(positive), len(negative))
    draws_p = rng.multinomial(p, np.full(p, 1 / p), size=RESAMPLES)
    draws_q = rng.multinomial(q, np.full(q, 1 / q), size=RESAMPLES)
    mass = np.concatenate([np.zeros((RESAMPLES, 1)), draws_q.cumsum(1)], axis=1)
    areas = (draws_p * (mass[:, below[0]] + mass[:, below[1]])).sum(1) / (2 * p * q)
    value = float((below[0] + below[1]).sum() / (2 * p * q))
    if value in (0.0, 1.0):
        exact = proportion(round(value) * n, n)
        return Estimate(value, exact.low, exact.high, n, exact.method)
    low, high = np.percentile(areas, [2.5, 97.5])
    return Estimate(value, float(low), float(high), n, f"bootstrap, {RESAMPLES} resamples of both sides")


def difference(a: Estimate, b: Estimate) -> Estimate:
    """`a - b` with Zou and Donner's (2008) interval from both intervals; for two Wilson intervals it is Newcombe's.

    It holds at 0 and at n hits, and takes the two as independent, which is cautious where they share items.
    """
    value = a.value - b.value
    low = value - np.hypot(a.value - a.low, b.high - b.value)
    high = value + np.hypot(a.high - a.value, b.value - b.low)
    return Estimate(value, float(low), float(high), min(a.n, b.n), "MOVER (Newcombe for proportions)")
