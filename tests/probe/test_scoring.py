"""Scores equal scikit-learn's; intervals follow the groups."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics

from workbench.probe._scoring import Resampler, score, score_graded


@pytest.mark.parametrize("k", [2, 4])
def test_equal_to_scikit_learn(k):
    rng = np.random.default_rng(k)
    truth = rng.integers(0, k, 300)
    chances = rng.dirichlet(np.ones(k), 300).round(1)  # with ties
    chances[np.arange(300), truth] += 0.3
    chances /= chances.sum(1, keepdims=True)
    found = score(truth, chances, Resampler([str(i) for i in range(300)]))
    predicted = chances.argmax(1)
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert found.balanced.value == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
    assert found.macro_f1.value == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    wanted = metrics.roc_auc_score(truth, chances[:, 1] if k == 2 else chances, multi_class="ovr")
    assert found.auc is not None and found.auc.value == pytest.approx(wanted)
    for each in (found.accuracy, found.balanced, found.macro_f1, found.auc):
        assert each.low < each.value < each.high


def test_few_groups_widen_the_interval():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 400)
    right = np.repeat(rng.random(8) < 0.6, 50)
    chances = np.eye(2)[np.where(right, truth, 1 - truth)]
    alone = score(truth, chances, Resampler([str(i) for i in range(400)])).accuracy
    grouped = score(truth, chances, Resampler([str(i // 50) for i in range(400)])).accuracy
    assert alone.value == grouped.value and grouped.n == 8
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_one_class_in_the_test_set_has_no_auc():
    found = score(np.zeros(10, dtype=np.int64), np.tile([0.7, 0.3], (10, 1)), Resampler(list("abcdefghij")))
    assert found.auc is None and found.accuracy.value == 1.0 and found.accuracy.low < 1.0


def test_grades_equal_scipy_and_a_constant_is_worth_nothing():
    rng = np.random.default_rng(2)
    truth = rng.standard_normal(200)
    predicted = truth + rng.standard_normal(200)
    resampler = Resampler([str(i) for i in range(200)])
    found = score_graded(truth, predicted, resampler)
    assert found.correlation.value == pytest.approx(spearmanr(truth, predicted).statistic)
    assert found.r2.value == pytest.approx(metrics.r2_score(truth, predicted))
    assert score_graded(truth, np.zeros(200), resampler).correlation.value == 0.0
