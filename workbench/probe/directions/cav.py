"""Concept activation vector: a linear probe's weight, tested against directions from permuted labels"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Shaped

from workbench.core.estimate import proportion
from workbench.probe._batched import BatchedLogistic
from workbench.probe.directions._finder import Finder, Found, Sides
from workbench.results.direction import RandomTest

__all__ = ["ConceptActivationVector"]

DRAWS = 50
_C = 1e-2
"""The same for every direction: a penalty tuned on the true labels would make the random ones no fair comparison."""


class ConceptActivationVector(Finder):
    """Kim et al. 2018 (arXiv:1711.11279): a concept counts only if its direction is unlike those of random labels.

    The random directions are trained on the same vectors with permuted labels, all in one batched fit, and scored on
    held-out items under the true labels. Where labels are constant within groups, whole groups are permuted.
    """

    name = "cav"

    def find(self, sides: Sides) -> Found:
        """The weight of a logistic probe, and its test against `DRAWS` random ones."""
        columns = np.column_stack([sides.learnt_positive, permuted(sides.learnt_positive, sides.groups, sides.seed)])
        probes = BatchedLogistic(C=_C, device=sides.device).fit(sides.learnt[:, sides.live], columns)
        logits = probes.decision_function(sides.held[:, sides.live])
        right = (logits > 0) == sides.held_positive[:, None]
        accuracies, gaps = right.mean(0), _gaps(logits, sides.held_positive)
        test = RandomTest(
            draws=DRAWS,
            accuracy=proportion(int(right[:, 0].sum()), len(right)),
            random_accuracy=float(accuracies[1:].mean()),
            p_accuracy=rank_p(accuracies),
            gap=float(gaps[0]),
            random_gap=float(np.abs(gaps[1:]).mean()),
            p_gap=rank_p(gaps),
        )
        return Found(sides.widened(probes.coef_[0]), test)


def rank_p(values: Float[np.ndarray, " n"]) -> float:
    """Two-sided p of the first value among all: the share that lies as far from the median of all, itself included.

    Exact where under the null hypothesis all values are exchangeable, since the median treats them alike.
    """
    far = np.abs(values - np.median(values))
    return float((far >= far[0] - 1e-12).mean())


def permuted(
    positive: Bool[np.ndarray, " n"], groups: Shaped[np.ndarray, " n"], seed: int
) -> Bool[np.ndarray, "n draws"]:
    """Labels in random order, a column a draw; each column keeps both classes."""
    rng = np.random.default_rng(seed)
    first, rows = np.unique(groups, return_index=True, return_inverse=True)[1:]
    units = positive[first]
    if (units[rows] != positive).any():  # labels differ within groups: items are what was labelled
        units, rows = positive, np.arange(len(positive))
    return np.column_stack([rng.permutation(units)[rows] for _ in range(DRAWS)])


def _gaps(logits: Float[np.ndarray, "m k"], positive: Bool[np.ndarray, " m"]) -> Float[np.ndarray, " k"]:
    """Difference of the class means over the standard deviation within classes, a column each."""
    one, two = logits[positive], logits[~positive]
    spread = (one.var(0) * len(one) + two.var(0) * len(two)) / len(logits)
    return (one.mean(0) - two.mean(0)) / np.sqrt(np.maximum(spread, 1e-300))
