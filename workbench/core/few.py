"""Limits of 95% intervals of few independent items, where the percentile bootstrap is too narrow.

The percentile bootstrap of a mean covers .50, .75, .84 and .90 of its .95 at 2, 3, 5 and 10 normal items. Two methods
stand in for it:

- `stretched_t` for means of unbounded numbers. Student's interval is stretched on both sides at fewer than 20 items,
  and on the side of the longer tail by the skewness of the sample. The two factors were set by simulation, so that
  normal, uniform, exponential and lognormal (sigma 1) items are covered at .94 or more at every number from 2 on. No
  interval holds for every law: under longer tails than the lognormal's (sigma 1), or a density with a pole (chi-square
  with one degree of freedom), coverage falls to .90 and below. The price is width: about twice Student's at 3 to 5.
- `pseudo_limits` for measures between known bounds (Gaffke 2005; Phan, Thomas and Learned-Miller 2021). Items get
  random weights (Dirichlet), and so does one further item with the best value, then with the worst. For items that are
  0 or 1 the limits are exactly Clopper and Pearson's. No law of bounded items is known for which they do not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float

FEW = 30
"""Independent items from which on the percentile bootstrap holds for samples that are not skewed."""
MANY = 100
"""Independent items from which on the percentile bootstrap is used for skewed samples too."""
_SKEWED = 0.75
"""Sample skewness from which on a sample of FEW to MANY items counts as skewed (1.8 standard errors at FEW)."""
_UNEQUAL = 40
"""Effective groups (`effective`) below which groups of unequal sizes count as few."""
_DRAWS = 10_000
_LEVELS = (2.5, 97.5)
_SIZES = (2, 3, 4, 5, 7, 10, 13, 16, 20)
_FACTORS = (2.0, 2.08, 2.0, 1.88, 1.64, 1.37, 1.22, 1.12, 1.0)
"""Of Student's half-length, by the number of items."""


def skewness(values: Float[np.ndarray, " n"]) -> float:
    """Third standardised moment; 0 where there is no spread."""
    apart = values - values.mean()
    spread = np.sqrt(np.square(apart).mean())
    if spread <= 1e-12 * max(float(np.abs(values).max()), 1e-300):
        return 0.0
    return float((apart**3).mean() / spread**3)


def effective(sizes: Float[np.ndarray, " n"]) -> float:
    """Kish's number of groups of one size that say as much as groups of these sizes; n where all are equal."""
    return float(sizes.sum() ** 2 / np.maximum(np.square(sizes).sum(), 1e-300))


def is_few(values: Float[np.ndarray, " n"], sizes: Float[np.ndarray, " n"]) -> bool:
    """Whether the percentile bootstrap is too narrow for the mean of these values of groups of these sizes."""
    n, count = len(values), effective(sizes)
    unequal = count < min(0.9 * n, _UNEQUAL)
    return n < FEW or (n < MANY and (unequal or abs(skewness(values)) > _SKEWED))


def stretched_t(
    value: float, values: Float[np.ndarray, " n"], sizes: Float[np.ndarray, " n"] | None = None
) -> tuple[float, float]:
    """Limits of a statistic from n >= 2 values whose mean it is (or nearly is: jackknife pseudo-values).

    Student's t interval, stretched as the module says, with one degree of freedom less than there are effective groups
    (`sizes` are those of the groups). Without any spread there is nothing to measure an error by, and the limits are
    infinite.
    """
    from scipy.special import stdtrit

    n, spread = len(values), float(values.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(values).max()):
        return -np.inf, np.inf
    count = float(n) if sizes is None else max(effective(sizes), 2.0)
    half = float(stdtrit(count - 1, 0.975) * np.interp(count, _SIZES, _FACTORS) * spread / np.sqrt(n))
    lean = float(np.interp(count, (20, FEW), (0.5, 0.35))) * skewness(values)
    return value - half * (1 + max(-lean, 0.0)), value + half * (1 + max(lean, 0.0))


def pseudo_values(whole: float, without: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Tukey's: n times the statistic of all items, less n - 1 times that without each item."""
    n = len(without)
    return n * whole - (n - 1) * without


def pseudo_limits(
    n: int,
    low: Callable[[Float[np.ndarray, "r n_plus_1"]], Float[np.ndarray, " r"]],
    high: Callable[[Float[np.ndarray, "r n_plus_1"]], Float[np.ndarray, " r"]],
    seed: int,
) -> tuple[float, float]:
    """Limits of a bounded statistic of n items that grows with each item's value.

    `low` and `high` give the statistic for each row of n + 1 weights; the last weight is that of a further item with
    the worst value (for `low`) or with the best one (for `high`).
    """
    parts = np.array_split(_weights(n, seed), 10)
    lows, highs = (np.concatenate([each(part) for part in parts]) for each in (low, high))
    lows, highs = lows[np.isfinite(lows)], highs[np.isfinite(highs)]
    if not len(lows) or not len(highs):
        return -np.inf, np.inf
    return float(np.percentile(lows, _LEVELS[0])), float(np.percentile(highs, _LEVELS[1]))


@lru_cache(maxsize=4)  # 8 MB at most each; a report has many measures of the same items
def _weights(n: int, seed: int) -> Float[np.ndarray, "r n_plus_1"]:
    weights = np.random.default_rng([seed, n]).dirichlet(np.ones(n + 1), size=_DRAWS)
    weights.flags.writeable = False
    return weights


def further_size(sizes: Float[np.ndarray, " n"]) -> float:
    """Size of the further group: the mean size of the group that an item is in."""
    return float(np.square(sizes).sum() / np.maximum(sizes.sum(), 1e-300))


def pseudo_ratio(
    above: Float[np.ndarray, " n"],
    below: Float[np.ndarray, " n"],
    worst: tuple[float, float],
    best: tuple[float, float],
    seed: int,
) -> tuple[float, float]:
    """`pseudo_limits` of sum(above) / sum(below); `worst` and `best` are what the further item adds to the two."""

    def limit(further: tuple[float, float]) -> Callable[[np.ndarray], np.ndarray]:
        tops, bottoms = np.append(above, further[0]), np.append(below, further[1])
        return lambda weights: (weights @ tops) / np.maximum(weights @ bottoms, 1e-300)

    return pseudo_limits(len(above), limit(worst), limit(best), seed)


def pseudo_area(below: tuple[np.ndarray, np.ndarray], q: int, seed: int) -> tuple[float, float]:
    """`pseudo_limits` of the area under a ROC curve, with a further item on both sides.

    `below` holds for each positive how many of the q sorted negatives lie below it, and how many not above it.
    """
    p = len(below[0])
    rng, lows, highs = np.random.default_rng([seed, p, q]), [], []
    for start in range(0, _DRAWS, step := max(1, 4_000_000 // (p + q))):
        rows = min(step, _DRAWS - start)
        positives, negatives = (rng.dirichlet(np.ones(n + 1), size=rows) for n in (p, q))
        mass = np.concatenate([np.zeros((rows, 1)), negatives[:, :q].cumsum(1)], axis=1)
        areas = (positives[:, :p] * (mass[:, below[0]] + mass[:, below[1]])).sum(1) / 2
        lows.append(areas)  # the further positive lies below all, the further negative above all
        highs.append(areas + positives[:, p] + (1 - positives[:, p]) * negatives[:, q])
    low, high = np.percentile(np.concatenate(lows), _LEVELS[0]), np.percentile(np.concatenate(highs), _LEVELS[1])
    return float(low), float(high)
