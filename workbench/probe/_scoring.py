"""Scores of predictions with intervals: whole groups are resampled, all scores from the same draws.

Of few groups (`workbench.core.few`), shares, balanced accuracy, F1 and AUC get Gaffke's limits with one further group
that is all right or all wrong; correlations and R2 get the stretched t interval of the jackknife over groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core import few
from workbench.core.estimate import RESAMPLES, Estimate, grouped_mean, proportion


@dataclass(frozen=True)
class Scores:
    """What a classifier reached on held-out items."""

    accuracy: Estimate
    balanced: Estimate
    macro_f1: Estimate
    auc: Estimate | None
    """Macro average over classes, each against the rest; None where the items are of one class."""


Weighted = Callable[[np.ndarray], np.ndarray]
"""A measure for each row of weights, or of weighted tables."""


class Resampler:
    """`RESAMPLES` bootstrap draws of whole groups; shared by all scores of one test set, so that they are paired."""

    def __init__(self, groups: Sequence[str], seed: int = 0) -> None:
        self.names = np.asarray(groups)
        self.rows = np.unique(self.names, return_inverse=True)[1]
        self.count = int(self.rows.max()) + 1
        rng = np.random.default_rng(seed)
        self.draws = rng.multinomial(self.count, np.full(self.count, 1 / self.count), size=RESAMPLES)
        self.sizes = np.bincount(self.rows).astype(np.float64)

    @property
    def few(self) -> bool:
        """Whether there are too few groups for the percentile bootstrap."""
        return few.is_few(np.zeros(self.count), self.sizes)

    def estimate(self, value: float, drawn: Float[np.ndarray, " r"]) -> Estimate:
        """A value with the 95% interval of what it was in each draw, which takes many groups."""
        drawn = drawn[np.isfinite(drawn)]
        if not len(drawn):
            return self.none(value)
        low, high = np.percentile(drawn, [2.5, 97.5])
        return Estimate(float(value), float(low), float(high), self.count, self.method)

    def none(self, value: float, why: str = "") -> Estimate:
        """A value without an interval."""
        return Estimate.without_interval(float(value), self.count, f"{self.count} group{'s'[: self.count != 1]}{why}")

    def limited(self, value: float, low: Weighted, high: Weighted) -> Estimate:
        """A measure from 0 to 1 of few groups; `low` and `high` as `workbench.core.few.pseudo_limits` takes them."""
        if self.count == 1:
            return self.none(value)
        limits = few.pseudo_limits(self.count, low, high, 0)
        return Estimate(float(value), *limits, self.count, f"Gaffke, {self.count} groups")

    def jackknifed(self, value: float, without: Float[np.ndarray, " g"]) -> Estimate:
        """A measure of few groups from what it is without each of them."""
        if self.count == 1:
            return self.none(value)
        low, high = few.stretched_t(float(value), few.pseudo_values(float(value), without), self.sizes)
        if not np.isfinite(low):
            return self.none(value, " without any spread")
        return Estimate(float(value), low, high, self.count, f"stretched t, jackknife over {self.count} groups")

    def at_bound(self, value: float, held: Float[np.ndarray, "g k"]) -> Estimate | None:
        """The exact limit where a measure of classes is 0 or 1, for as many trials as groups hold the rarest class."""
        n = int((held > 0).sum(0).min())
        if n < 2 or min(abs(value), abs(1 - value)) > 1e-9:
            return None
        return proportion(round(value) * n, n)

    @property
    def method(self) -> str:
        """How intervals were made."""
        return f"bootstrap, {RESAMPLES} resamples of {self.count} groups"

    def share(self, right: Float[np.ndarray, " n"]) -> Estimate:
        """Mean of numbers from 0 to 1, one an item; exact where all are 0 or all are 1."""
        return grouped_mean(np.bincount(self.rows, right), self.sizes, True, 0, (0.0, 1.0), self.draws)


def score(truth: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n k"], resampler: Resampler) -> Scores:
    """Accuracy, balanced accuracy, macro F1 and AUC of class probabilities (or any scores) for n held-out items."""
    k = chances.shape[1]
    predicted = chances.argmax(1)
    tables = np.zeros((resampler.count, k, k))
    np.add.at(tables, (resampler.rows, truth, predicted), 1.0)
    return Scores(
        resampler.share((predicted == truth).astype(np.float64)),
        _of_tables(_balanced, tables, resampler),
        _of_tables(_macro_f1, tables, resampler),
        _auc(truth, chances, resampler),
    )


def _of_tables(measure: Weighted, tables: Float[np.ndarray, "g k k"], resampler: Resampler) -> Estimate:
    """A measure of tables of confusion, with an interval over the groups that have them."""
    g, k, _ = tables.shape

    def drawn(weights: np.ndarray, further: np.ndarray | None = None) -> np.ndarray:
        sums = (weights[:, :g] @ tables.reshape(g, -1)).reshape(-1, k, k)
        return measure(sums if further is None else sums + weights[:, g, None, None] * further)

    value, held = float(measure(tables.sum(0)[None])[0]), tables.sum(2)
    seen = held[:, held.any(0)]
    if resampler.count > 1 and (exact := resampler.at_bound(value, seen)):
        return exact
    if not resampler.few:
        return resampler.estimate(value, drawn(resampler.draws))
    best = np.diag([few.further_size(column) for column in held.T])
    worst = np.roll(best, 1, axis=1) if k > 1 else np.zeros_like(best)
    return resampler.limited(value, lambda weights: drawn(weights, worst), lambda weights: drawn(weights, best))


def _balanced(tables: Float[np.ndarray, "r k k"]) -> Float[np.ndarray, " r"]:
    """Mean recall of the classes that occur."""
    hits, rows = np.diagonal(tables, axis1=1, axis2=2), tables.sum(2)
    seen = rows > 0
    return (hits / np.maximum(rows, 1e-9)).sum(1, where=seen) / seen.sum(1)


def _macro_f1(tables: Float[np.ndarray, "r k k"]) -> Float[np.ndarray, " r"]:
    """Mean F1 of the classes that occur or are predicted, as scikit-learn has it."""
    hits, total = np.diagonal(tables, axis1=1, axis2=2), tables.sum(2) + tables.sum(1)
    seen = total > 0
    return (2 * hits / np.maximum(total, 1e-9)).sum(1, where=seen) / seen.sum(1)


def _auc(truth: np.ndarray, chances: np.ndarray, resampler: Resampler) -> Estimate | None:
    classes = [c for c in np.unique(truth) if 0 < (truth == c).sum() < len(truth)]
    if not classes:
        return None
    classes = classes[1:] if chances.shape[1] == 2 else classes  # the two areas of a pair are one
    ones = np.ones((1, len(truth)), dtype=resampler.draws.dtype)
    value = float(np.mean([_area(truth == c, chances[:, c], ones) for c in classes]))
    held = np.stack([np.bincount(resampler.rows, truth == c, resampler.count) for c in np.unique(truth)], axis=1)
    if resampler.count > 1 and (exact := resampler.at_bound(value, held)):
        return exact
    if resampler.few:
        return resampler.limited(
            value, *(lambda weights, up=up: _areas(truth, chances, classes, resampler, weights, up) for up in (0, 1))
        )
    weights = resampler.draws[:, resampler.rows]
    return resampler.estimate(value, np.mean([_area(truth == c, chances[:, c], weights) for c in classes], axis=0))


def _areas(
    truth: np.ndarray, chances: np.ndarray, classes: list[Any], resampler: Resampler, weights: np.ndarray, up: int
) -> np.ndarray:
    """Mean area of the classes with a further group: its positives are above all (`up` is 1) or below all."""
    out = []
    for c in classes:
        positive, scores = truth == c, chances[:, c].astype(np.float64)
        sizes = [few.further_size(np.bincount(resampler.rows, side, resampler.count)) for side in (positive, ~positive)]
        ends = (scores.max() + 1, scores.min() - 1) if up else (scores.min() - 1, scores.max() + 1)
        columns = np.hstack([weights[:, resampler.rows], weights[:, -1:] * sizes])
        out.append(_area(np.append(positive, [True, False]), np.append(scores, ends), columns))
    return np.mean(out, axis=0)


def _area(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted area under the ROC curve for each row of weights; ties count half."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf) > 0)
    weights, positive = weights[:, order], positive[order]
    hits = np.add.reduceat(weights * positive, starts, axis=1)
    misses = np.add.reduceat(weights * ~positive, starts, axis=1)
    below = misses.cumsum(1) - misses / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return (hits * below).sum(1) / (hits.sum(1) * misses.sum(1))


@dataclass(frozen=True)
class GradedScores:
    """What a regression reached on held-out items."""

    correlation: Estimate
    """Spearman's."""
    r2: Estimate


def score_graded(
    truth: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"], resampler: Resampler
) -> GradedScores:
    """Spearman's correlation and R2. Ranks are those of the whole test set, so a draw costs one weighted moment."""
    from scipy.stats import rankdata

    ones = np.ones((1, len(truth)))
    ranks = rankdata(truth), rankdata(predicted)
    rank, fit = float(_correlation(*ranks, ones)[0]), float(_r2(truth, predicted, ones)[0])
    if resampler.count == 1:
        return GradedScores(resampler.none(rank), resampler.none(fit))
    if resampler.few:
        without = 1.0 - np.eye(resampler.count)[:, resampler.rows]
        turned = np.arctanh(np.clip(np.append(_correlation(*ranks, without), rank), -1 + 1e-9, 1 - 1e-9))
        found, apart = (
            resampler.jackknifed(turned[-1], turned[:-1]),
            resampler.jackknifed(fit, _r2(truth, predicted, without)),
        )
        return GradedScores(
            replace(found, value=rank, **({} if not found.has_interval else _back(found))),
            replace(apart, high=min(apart.high, 1.0)) if apart.has_interval else apart,
        )
    weights = resampler.draws[:, resampler.rows].astype(np.float64)
    return GradedScores(
        resampler.estimate(rank, _correlation(*ranks, weights)),
        resampler.estimate(fit, _r2(truth, predicted, weights)),
    )


def _back(found: Estimate) -> dict[str, float]:
    """Limits of Fisher's z as those of a correlation."""
    return {"low": float(np.tanh(found.low)), "high": float(np.tanh(found.high))}


def _correlation(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(1)
    mean_a, mean_b = weights @ a / total, weights @ b / total
    both = weights @ (a * b) / total - mean_a * mean_b
    spread = (weights @ (a * a) / total - mean_a**2) * (weights @ (b * b) / total - mean_b**2)
    return np.where(spread > 1e-12, both / np.sqrt(np.maximum(spread, 1e-12)), 0.0)


def _r2(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(1)
    spread = weights @ (truth * truth) - (weights @ truth) ** 2 / total
    return 1 - weights @ (truth - predicted) ** 2 / np.maximum(spread, 1e-12)
