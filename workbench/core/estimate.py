"""Numbers that carry their interval: a value, its limits, how many items, and by which method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Shaped

from workbench.core import few
from workbench.core.codec import NULL
from workbench.core.errors import BadInput
from workbench.core.labels import Column, group_codes

RESAMPLES = 2000
_ROUNDING = 1e-9
"""By how much a number may be off a bound and still be at it."""


@dataclass(frozen=True)
class Estimate:
    """A measured number with its 95% interval.

    `value`, `low` and `high` share one unit, which the place of use states; `n` counts the independent items. Where a
    sample gives no interval (one item, one group) the limits are -inf and inf, so that no comparison with them claims
    anything; they are null in JSON, and text says why there is none.
    """

    value: float
    low: float = field(metadata={NULL: -math.inf})
    high: float = field(metadata={NULL: math.inf})
    n: int
    method: str

    @classmethod
    def without_interval(cls, value: float, n: int, why: str) -> Estimate:
        """A value of which nothing is known but itself; `why` says what there is too little of."""
        return cls(value, -math.inf, math.inf, n, f"no interval ({why})")

    @property
    def has_interval(self) -> bool:
        """Whether both limits are numbers."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def shown(self) -> tuple[float, float]:
        """Limits to draw: the value itself where there is no interval."""
        return (self.low, self.high) if self.has_interval else (self.value, self.value)

    def percents(self, digits: int = 0) -> str:
        """`95% 12% to 34%`, of a share, or that there is no interval."""
        if not self.has_interval:
            return self.interval()
        return f"95% {self.low:.{digits}%} to {self.high:.{digits}%}"

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int = 3, scale: float = 1.0) -> str:
        """`value [low, high]`, each times `scale`; without limits, the value and why there is no interval."""
        interval = self.interval(digits, scale)
        return f"{scale * self.value:.{digits}f} {interval if self.has_interval else f'({interval})'}"

    def interval(self, digits: int = 2, scale: float = 1.0) -> str:
        """`[low, high]`, each times `scale`, or "no interval" and why."""
        if not self.has_interval:
            reason = self.method.removeprefix("no interval (").removesuffix(")")
            return "no interval" + (f": {reason}" if reason != self.method else "")
        return f"[{scale * self.low:.{digits}f}, {scale * self.high:.{digits}f}]"


def proportion(hits: int, n: int) -> Estimate:
    """Share of `n` items that were hits, with the Wilson score interval; Clopper-Pearson where hits are 0 or n.

    The percentile bootstrap would give [0, 0] for no hits; an exact interval says what the sample could have missed.
    """
    return exact_proportion(hits, n) if hits in (0, n) else _binomial(hits, n, "wilson", "Wilson")


def exact_proportion(hits: int, n: int) -> Estimate:
    """Share of `n` items that were hits, with Clopper and Pearson's interval, which holds at any rate, however low."""
    return _binomial(hits, n, "exact", "Clopper-Pearson")


def _binomial(hits: int, n: int, method: Literal["exact", "wilson"], name: str) -> Estimate:
    from scipy.stats import binomtest

    if not 0 <= hits <= n or n < 1:
        raise BadInput(f"{hits} hits of {n} items; expected 0 <= hits <= n and n >= 1")
    interval = binomtest(hits, n).proportion_ci(0.95, method=method)
    return Estimate(hits / n, float(interval.low), float(interval.high), n, name)


def mean(
    values: Float[np.ndarray, " n"] | Sequence[float],
    groups: Column | None = None,
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Mean of `values` with a 95% interval; with `groups`, whole groups (documents, persons) are the independent items.

    From 30 independent items on it is a percentile bootstrap (from 100 on where the sample is skewed). Below, it is a
    stretched t interval, or for values between known `bounds` Gaffke's; `workbench.core.few` says which laws they hold
    for. One item or one group has no interval.

    Args:
        values: n finite numbers.
        groups: which values belong together, n keys; a value without one (None, NaN, blank) is a group of its own.
        seed: of the resamples.
        bounds: least and greatest possible value; where all values are at one of them, the interval is the exact one.

    Raises:
        BadInput: no values, values that are not finite, or outside the bounds; another number of groups.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise BadInput(f"a mean needs at least one finite number in one dimension, got shape {values.shape}")
    if bounds is not None:
        low, high = bounds
        off = (values < low - _ROUNDING) | (values > high + _ROUNDING)
        if off.any():
            raise BadInput(f"a value is {values[off][0]:g}; expected numbers from {low:g} to {high:g}")
        values = np.clip(values, low, high)
    labels = _places(len(values), groups)
    return grouped_mean(
        np.bincount(labels, values), np.bincount(labels).astype(np.float64), groups is not None, seed, bounds
    )


def grouped_mean(
    sums: Float[np.ndarray, " g"],
    sizes: Float[np.ndarray, " g"],
    grouped: bool = True,
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
    draws: Shaped[np.ndarray, "r g"] | None = None,
) -> Estimate:
    """`mean` from the sum and the number of the values of each of g groups.

    `draws` are how often each group is in each resample, where several estimates share their resamples.
    """
    value = float(sums.sum() / sizes.sum())
    if bounds is None:
        return _ratio(value, sums, sizes, grouped, seed, "bootstrap", draws=draws)
    low, high = bounds
    n = len(sums)
    if n == 1:
        return _none(value, 1, grouped)
    for bound, hits in ((low, 0), (high, n)):
        if abs(value - bound) <= _ROUNDING * max(1.0, high - low):
            exact = proportion(hits, n)
            limits = (low + (high - low) * exact.low, low + (high - low) * exact.high)
            return Estimate(float(bound), *limits, n, exact.method)
    return _ratio(value, sums, sizes, grouped, seed, "bootstrap", bounds, draws)


def ratio(
    above: Float[np.ndarray, " n"],
    below: Float[np.ndarray, " n"],
    groups: Column | None = None,
    seed: int = 0,
) -> Estimate:
    """sum(above) / sum(below) with a 95% interval over items, or over whole groups; `below` is never negative.

    As for `mean`; the stretched t interval of few items is that of the jackknife's pseudo-values.
    """
    labels = _places(len(above), groups)
    tops, bottoms = np.bincount(labels, above), np.bincount(labels, below)
    value = float(above.sum() / below.sum())
    found = _ratio(value, tops, bottoms, groups is not None, seed, "bootstrap of a ratio")
    if found.low < 0 <= float(tops.min()) and found.has_interval:
        return replace(found, low=0.0)
    return found


def _places(n: int, groups: Column | None) -> Shaped[np.ndarray, " n"]:
    """For each item the number of its group."""
    return np.arange(n) if groups is None else group_codes(groups, n)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def _none(value: float, n: int, grouped: bool) -> Estimate:
    return Estimate.without_interval(value, n, _counted(n, "group" if grouped else "item"))


def _ratio(
    value: float,
    tops: Float[np.ndarray, " g"],
    bottoms: Float[np.ndarray, " g"],
    grouped: bool,
    seed: int,
    way: str,
    bounds: tuple[float, float] | None = None,
    draws: Shaped[np.ndarray, "r g"] | None = None,
) -> Estimate:
    n, rest = len(tops), bottoms.sum() - bottoms
    of = _counted(n, "group" if grouped else "item")
    if n == 1:
        return _none(value, n, grouped)
    apart = tops - value * bottoms
    flat = float(np.abs(apart).max()) <= 1e-12 * float(np.abs(tops).max())
    if flat and bounds is not None and n >= few.FEW:  # Gaffke's limits, which have a closed form here
        kept = 0.025 ** (1 / n)
        low, high = (bound + (value - bound) * kept for bound in bounds)
        return Estimate(value, low, high, n, f"Gaffke, {of}")
    if flat and n >= few.FEW:
        return Estimate.without_interval(value, n, f"{of} without any spread")
    if few.is_few(apart / bottoms.mean(), bottoms):
        if bounds is not None:
            size = few.further_size(bottoms)
            worst, best = ((bound * size, size) for bound in bounds)
            low, high = few.pseudo_ratio(tops, bottoms, worst, best, seed)
            return Estimate(value, max(low, bounds[0]), min(high, bounds[1]), n, f"Gaffke, {of}")
        if (rest <= 0).any():
            return Estimate.without_interval(value, n, f"{of}, of which one holds everything")
        low, high = few.stretched_t(value, few.pseudo_values(value, (tops.sum() - tops) / rest), bottoms)
        if not math.isfinite(low):
            return Estimate.without_interval(value, n, f"{of} without any spread")
        return Estimate(value, low, high, n, f"stretched t, {of}")
    if draws is None:
        draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    low, high = np.percentile((draws @ tops) / np.maximum(draws @ bottoms, 1e-300), [2.5, 97.5])
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    method = f"{way}, {RESAMPLES} resamples" + (f" of {n} groups" if grouped else "")
    return Estimate(value, float(low), float(high), n, method)


def mean_share(
    values: Float[np.ndarray, " n"] | Sequence[float],
    groups: Column | None = None,
    seed: int = 0,
) -> Estimate:
    """`mean` of numbers between 0 and 1; where all are 0 or all are 1, with Clopper and Pearson's interval.

    A share of 0 in n groups still may be up to 1 - .025^(1/n).
    """
    return mean(values, groups, seed, (0.0, 1.0))


def auc(
    positive: Float[np.ndarray, " p"] | Sequence[float],
    negative: Float[np.ndarray, " q"] | Sequence[float],
    seed: int = 0,
) -> Estimate:
    """Area under the ROC curve: how often a positive scores above a negative, ties half; bootstrap over both sides.

    Where the two are fully apart the bootstrap has no width; then the interval is Clopper and Pearson's for as many
    trials as there are items on the smaller side. With fewer than 30 items on a side it is Gaffke's for both sides, and
    with one there is none.
    """
    positive, negative = np.sort(np.asarray(positive, float)), np.sort(np.asarray(negative, float))
    if not len(positive) or not len(negative) or not np.isfinite([positive.sum(), negative.sum()]).all():
        raise BadInput(f"AUC needs finite scores on both sides, got {len(positive)} and {len(negative)}")
    below = np.searchsorted(negative, positive, "left"), np.searchsorted(negative, positive, "right")
    p, q, n = len(positive), len(negative), min(len(positive), len(negative))
    value = float((below[0] + below[1]).sum() / (2 * p * q))
    if n == 1:
        return Estimate.without_interval(value, n, "1 item on a side")
    if value in (0.0, 1.0):
        exact = proportion(round(value) * n, n)
        return Estimate(value, exact.low, exact.high, n, exact.method)
    if n < few.FEW:
        low, high = few.pseudo_area(below, q, seed)
        return Estimate(value, low, high, n, f"Gaffke, {p} and {q} items")
    rng = np.random.default_rng(seed)
    draws_p = rng.multinomial(p, np.full(p, 1 / p), size=RESAMPLES)
    draws_q = rng.multinomial(q, np.full(q, 1 / q), size=RESAMPLES)
    mass = np.concatenate([np.zeros((RESAMPLES, 1)), draws_q.cumsum(1)], axis=1)
    areas = (draws_p * (mass[:, below[0]] + mass[:, below[1]])).sum(1) / (2 * p * q)
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
