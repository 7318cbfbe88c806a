"""Intervals hold what they should hold, and say what a sample could have missed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInput
from workbench.core.estimate import auc, difference, mean, mean_share, proportion


@given(st.integers(1, 3000), st.data())
def test_a_proportion_lies_in_its_interval(n, data):
    hits = data.draw(st.integers(0, n))
    estimate = proportion(hits, n)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.low < estimate.high


def test_no_hits_are_not_certainty():
    # Clopper-Pearson, as tabulated: 0 of 30 -> [0, .116], 0 of 200 -> [0, .018]
    assert proportion(0, 30).high == pytest.approx(0.116, abs=5e-4)
    assert proportion(0, 200).high == pytest.approx(0.018, abs=5e-4)


def test_wilson_is_wilson():
    # Wilson's interval for 10 of 100 is [.0552, .1744]
    estimate = proportion(10, 100)
    assert (estimate.low, estimate.high) == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))


def test_newcombe_difference():
    # Newcombe (1998), method 10: 56/70 - 48/80 = .20 [.0524, .3339]
    estimate = difference(proportion(56, 70), proportion(48, 80))
    assert estimate.value == pytest.approx(0.2)
    assert (estimate.low, estimate.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_coverage_of_the_bootstrap():
    random = np.random.default_rng(1)
    inside = 0
    for seed in range(200):
        estimate = mean(random.exponential(1.0, 80), seed=seed)
        inside += estimate.low <= 1.0 <= estimate.high
    assert 0.87 <= inside / 200 <= 0.99


def test_groups_widen_the_interval_when_members_agree():
    random = np.random.default_rng(2)
    values = np.repeat(random.standard_normal(20), 10)
    groups = np.repeat(np.arange(20), 10)
    alone, grouped = mean(values), mean(values, groups)
    assert grouped.n == 20
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_impossible_numbers_are_refused():
    for hits, n in ((-1, 3), (4, 3), (0, 0)):
        with pytest.raises(BadInput):
            proportion(hits, n)
    with pytest.raises(BadInput):
        mean([])
    with pytest.raises(BadInput):
        mean([1.0, float("nan")])


def test_a_share_of_nothing_is_no_certainty():
    assert mean_share(np.zeros(30)).high == pytest.approx(0.116, abs=5e-4)
    assert mean_share(np.ones(30)).low == pytest.approx(1 - 0.116, abs=5e-4)
    assert mean_share(np.zeros(30), np.repeat(np.arange(3), 10)).n == 3
    values = np.random.default_rng(0).random(100)
    assert mean_share(values) == mean(values)


def test_auc_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(0)
    positive, negative = rng.normal(1, 1, 60).round(1), rng.normal(0, 1, 80).round(1)
    above = np.mean(positive[:, None] > negative) + np.mean(positive[:, None] == negative) / 2
    found = auc(positive, negative)
    assert found.value == pytest.approx(above)
    assert found.low < found.value < found.high
    assert found.n == 60
    assert auc(negative, positive).value == pytest.approx(1 - above)


def test_auc_of_what_is_fully_apart_still_has_an_interval():
    found = auc([2.0, 3.0, 4.0], [0.0, 1.0])
    assert found.value == found.high == 1.0
    assert found.low < 0.3
    with pytest.raises(BadInput, match="AUC needs finite scores"):
        auc([], [1.0])
    with pytest.raises(BadInput, match="AUC needs finite scores"):
        auc([np.nan], [1.0])


def test_auc_covers_the_truth():
    """Two normals one apart have AUC Phi(1/sqrt 2) = .7602; about 95% of intervals hold it."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(100):
        found = auc(rng.normal(1, 1, 100), rng.normal(0, 1, 100))
        held += found.low <= 0.7602 <= found.high
    assert held >= 88
