"""Scores of predictions with intervals: whole groups are resampled, all scores from the same draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.estimate import RESAMPLES, Estimate, proportion


@dataclass(frozen=True)
class Scores:
    """What a classifier reached on held-out items."""

    accuracy: Estimate
    balanced: Estimate
    macro_f1: Estimate
    auc: Estimate | None
    """Macro average over classes, each against the rest; None where the items are of one class."""


class Resampler:
    """`RESAMPLES` bootstrap draws of whole groups; shared by all scores of one test set, so that they are paired."""

    def __init__(self, groups: Sequence[str], seed: int = 0) -> None:
        self.names = np.asarray(groups)
        self.rows = np.unique(self.names, return_inverse=True)[1]
        self.count = int(self.rows.max()) + 1
        rng = np.random.default_rng(seed)
        self.draws = rng.multinomial(self.count, np.full(self.count, 1 / self.count), size=RESAMPLES)

    def estimate(self, value: float, drawn: Float[np.ndarray, " r"]) -> Estimate:
        """A value with the 95% interval of what it was in each draw."""
        drawn = drawn[np.isfinite(drawn)]
        low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (value, value)
        return Estimate(float(value), float(low), float(high), self.count, self.method)

    @property
    def method(self) -> str:
        """How intervals were made."""
        return f"bootstrap, {RESAMPLES} resamples of {self.count} groups"

    def share(self, right: Float[np.ndarray, " n"]) -> Estimate:
        """Mean of numbers from 0 to 1, one an item; exact where the bootstrap has no width (all 0 or all 1)."""
        value = float(right.mean())
        if value in (0.0, 1.0):
            return proportion(round(value) * self.count, self.count)
        sums, counts = np.bincount(self.rows, right), np.bincount(self.rows)
        return self.estimate(value, (self.draws @ sums) / (self.draws @ counts))


def score(truth: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n k"], resampler: Resampler) -> Scores:
    """Accuracy, balanced accuracy, macro F1 and AUC of class probabilities (or any scores) for n held-out items."""
    k = chances.shape[1]
    predicted = chances.argmax(1)
    tables = np.zeros((resampler.count, k, k))
    np.add.at(tables, (resampler.rows, truth, predicted), 1.0)
    drawn = (resampler.draws @ tables.reshape(resampler.count, -1)).reshape(-1, k, k)
    whole = tables.sum(0)[None]
    return Scores(
        resampler.share((predicted == truth).astype(np.float64)),
        resampler.estimate(float(_balanced(whole)[0]), _balanced(drawn)),
        resampler.estimate(float(_macro_f1(whole)[0]), _macro_f1(drawn)),
        _auc(truth, chances, resampler),
    )


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
    weights = resampler.draws[:, resampler.rows]
    ones = np.ones((1, len(truth)), dtype=weights.dtype)
    classes = classes[1:] if chances.shape[1] == 2 else classes  # the two areas of a pair are one
    drawn = np.mean([_area(truth == c, chances[:, c], weights) for c in classes], axis=0)
    value = np.mean([_area(truth == c, chances[:, c], ones) for c in classes])
    return resampler.estimate(float(value), drawn)


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

    weights = resampler.draws[:, resampler.rows].astype(np.float64)
    ones = np.ones((1, len(truth)))
    ranks = rankdata(truth), rankdata(predicted)
    rank = (float(_correlation(*ranks, ones)[0]), _correlation(*ranks, weights))
    fit = (float(_r2(truth, predicted, ones)[0]), _r2(truth, predicted, weights))
    return GradedScores(resampler.estimate(*rank), resampler.estimate(*fit))


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
