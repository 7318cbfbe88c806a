"""Intervals of few items hold what they say: coverage by simulation, exact limits, none for one item."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager

import jaxtyping
import numpy as np
import pytest
from scipy.stats import beta, norm

from workbench.core import codec, few
from workbench.core.blocks import Intervals, Series, Table
from workbench.core.curves import Curve, Curves
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate, auc, difference, grouped_mean, mean, mean_share, proportion, ratio
from workbench.core.means import hit_share, mean_cosine, mean_gain
from workbench.core.render import to_html, to_json, to_markdown

SIZES = (2, 3, 5, 10, 20, 50)
UNBOUNDED = {
    "normal": (lambda rng, size: rng.normal(size=size), 0.0),
    "exponential": (lambda rng, size: rng.exponential(size=size), 1.0),
    "lognormal": (lambda rng, size: rng.lognormal(size=size), math.exp(0.5)),
    "lognormal, falling": (lambda rng, size: -rng.lognormal(size=size), -math.exp(0.5)),
    "uniform": (lambda rng, size: rng.random(size), 0.5),
}
BOUNDED = {
    "uniform": (lambda rng, size: rng.random(size), 0.5),
    "beta near 0": (lambda rng, size: rng.beta(0.1, 0.9, size), 0.1),
    "beta near 1": (lambda rng, size: rng.beta(50, 1, size), 50 / 51),
    "rare hits": (lambda rng, size: (rng.random(size) < 0.03).astype(float), 0.03),
    "even hits": (lambda rng, size: (rng.random(size) < 0.5).astype(float), 0.5),
}


def trials_of(law, n):
    """Enough trials to tell the true coverage, measured once with many, from .93.

    Lognormal items, two items, and 50 normal or uniform ones are covered at .9375 to .95: 4,000 trials have a standard
    error of .0037 there. All others are covered at .96 or more, and 800 trials have one of .007.
    """
    return 4000 if law == "lognormal" or n == 2 or (n == 50 and law in ("normal", "uniform")) else 800


def covered(draw, truth, trials, bounds=None):
    """Share of samples whose interval holds the truth; `draw` gives values and groups. No allowance is made.

    `grouped_mean` is what `mean` and `mean_share` call (`test_the_simulation_is_of_the_public_means`); here the
    bootstrap's resamples, the same for every sample of a seed, are drawn once.
    """
    held, resamples = 0, None
    with unchecked():
        for _ in range(trials):
            values, groups = draw()
            sums, sizes = summed(values, groups)
            if resamples is None:
                resamples = resampled(len(sums))
            found = grouped_mean(sums, sizes, groups is not None, 0, bounds, resamples)
            held += found.low - 1e-12 <= truth <= found.high + 1e-12
    return held / trials


@contextmanager
def unchecked():
    """Without the checks of types at every call, which take most of the time of a simulation."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


def summed(values, groups):
    """Sum and size of each group."""
    groups = np.arange(len(values)) if groups is None else groups
    return np.bincount(groups, values), np.bincount(groups).astype(float)


def resampled(n):
    """The bootstrap's resamples of n groups."""
    return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=2000).astype(float)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("law", ["normal", "exponential", "lognormal", "uniform"])
def test_a_mean_of_few_items_is_covered(law, n):
    draw, truth = UNBOUNDED[law]
    rng = np.random.default_rng(n)
    assert covered(lambda: (draw(rng, n), None), truth, trials_of(law, n)) >= 0.93


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("law", BOUNDED)
def test_a_share_of_few_items_is_covered(law, n):
    draw, truth = BOUNDED[law]
    rng = np.random.default_rng(n)
    assert (
        covered(lambda: (draw(rng, n), None), truth, 4000 if (law, n) == ("uniform", 50) else 200, (0.0, 1.0)) >= 0.93
    )


def in_groups(rng, draw, n, own=True):
    """Groups of 1 to 11 items, which share half of their variance, or all of it where no item has its `own` part."""
    sizes = rng.integers(1, 12, n)
    shared, groups = np.repeat(draw(rng, n), sizes), np.repeat(np.arange(n), sizes)
    return shared + draw(rng, sizes.sum()) if own else shared, groups


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("law", ["normal", "exponential", "lognormal"])
def test_a_mean_of_few_groups_is_covered(law, n):
    draw, truth = UNBOUNDED[law]
    rng = np.random.default_rng(n)
    assert covered(lambda: in_groups(rng, draw, n), 2 * truth, 1000) >= 0.93


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("law", ["beta near 0", "uniform", "even hits"])
def test_a_share_of_few_groups_is_covered(law, n):
    draw, truth = BOUNDED[law]
    rng = np.random.default_rng(n)
    assert covered(lambda: in_groups(rng, draw, n, own=False), truth, 150, (0.0, 1.0)) >= 0.93


@pytest.mark.parametrize("n", SIZES)
def test_the_simulation_is_of_the_public_means(n):
    rng = np.random.default_rng(n)
    for law in ("normal", "lognormal"):
        values, groups = in_groups(rng, UNBOUNDED[law][0], n)
        sums, sizes = summed(values, groups)
        assert mean(values, groups) == grouped_mean(sums, sizes, True, 0, None, resampled(n))
        assert mean(sums) == grouped_mean(sums, np.ones(n), False, 0, None, resampled(n))
    values, groups = in_groups(rng, BOUNDED["uniform"][0], n, own=False)
    assert mean_share(values, groups) == grouped_mean(*summed(values, groups), True, 0, (0.0, 1.0), resampled(n))


@pytest.mark.slow
@pytest.mark.parametrize("n", (*SIZES, 4, 7, 13, 16, 24, 29, 30, 35, 70, 99))
@pytest.mark.parametrize("law", UNBOUNDED)
def test_the_whole_grid_of_means_is_covered(law, n):
    draw, truth = UNBOUNDED[law]
    rng = np.random.default_rng(n)
    assert covered(lambda: (draw(rng, n), None), truth, 5000) >= 0.93


@pytest.mark.parametrize(("p", "q"), [(2, 3), (3, 40), (10, 10), (20, 25)])
@pytest.mark.parametrize("apart", [0.0, 1.0, 2.5])
def test_an_auc_of_few_items_is_covered(apart, p, q):
    rng = np.random.default_rng(p)
    draws = lambda: (rng.normal(apart, 1, p), rng.normal(0, 1, q))  # noqa: E731
    truth = norm.cdf(apart / 2**0.5)
    with unchecked():
        found = [auc(*draws()) for _ in range(60)]
    assert np.mean([each.low - 1e-12 <= truth <= each.high + 1e-12 for each in found]) >= 0.93


@pytest.mark.parametrize("n", (2, 5, 20))
def test_paired_differences_of_shares_are_covered(n):
    rng = np.random.default_rng(n)
    draw = lambda: rng.choice([-1.0, 0.0, 1.0], p=[0.02, 0.9, 0.08], size=n)  # noqa: E731
    assert covered(lambda: (draw(), None), 0.06, 200, (-1.0, 1.0)) >= 0.93


@pytest.mark.parametrize("n", (2, 3, 5, 10, 20))
def test_gaffke_of_hits_is_clopper_pearson(n):
    """Both are quantiles of beta laws; the resamples leave .01 of error."""
    for hits in range(1, n):
        values = np.arange(n) < hits
        found = few.pseudo_ratio(values.astype(float), np.ones(n), (0.0, 1.0), (1.0, 1.0), 0)
        wanted = beta.ppf(0.025, hits, n - hits + 1), beta.ppf(0.975, hits + 1, n - hits)
        assert found == pytest.approx(wanted, abs=0.01)


def test_from_thirty_items_on_the_bootstrap_is_as_it_was():
    """Published numbers must not move: percentiles of 2000 resamples, computed here."""
    for n, groups in ((30, None), (80, None), (400, np.repeat(np.arange(40), 10))):
        values = np.random.default_rng(n).normal(0.5, 0.1, n).clip(0, 1)
        labels = np.arange(n) if groups is None else groups
        sums, sizes = np.bincount(labels, values), np.bincount(labels)
        count = len(sums)
        draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=2000)
        wanted = np.percentile((draws @ sums) / (draws @ sizes), [2.5, 97.5])
        for of in (mean, mean_share):
            found = of(values, groups)
            assert (found.low, found.high) == tuple(wanted)


@pytest.mark.parametrize("of", [mean, mean_share, mean_gain, mean_cosine])
def test_one_item_or_one_group_has_no_interval(of):
    for values, groups, said in (([0.5], None, "1 item"), ([0.2, 0.4, 0.9], ["a"] * 3, "1 group"), ([1.0], None, "1")):
        found = of(values, groups)
        assert found.value == pytest.approx(np.mean(values))
        assert not found.has_interval
        assert f"no interval: {said}" in str(found)
    assert not ratio(np.array([1.0]), np.array([2.0])).has_interval
    assert not auc([1.0], [0.0, 0.5]).has_interval


def test_values_at_a_bound_get_the_exact_limit():
    almost = 1.0000000000000004
    for n in (2, 10, 50, 300):
        found = mean_share(np.full(n, almost))
        assert (found.value, found.high) == (1.0, 1.0)
        assert found.low == pytest.approx(0.025 ** (1 / n))
        assert mean_share(np.full(n, 1e-17)).high == pytest.approx(1 - 0.025 ** (1 / n))
    grouped = mean_share(np.ones(300), np.repeat([0, 1, 2], 100))
    assert (grouped.n, grouped.low) == (3, pytest.approx(0.025 ** (1 / 3)))
    assert mean_gain(np.zeros(10)).high == pytest.approx(1 - 0.025**0.1)
    assert mean_cosine(np.ones(10, np.float32)).low == pytest.approx(2 * 0.025**0.1 - 1)


def test_limits_stay_within_the_bounds():
    for values in ([0.99, 0.98, 1.0], [0.0, 0.01, 0.02], [0.9, 1.0] * 40):
        for of in (mean_share, mean_cosine):
            found = of(values)
            assert -1 <= found.low <= found.value <= found.high <= 1
    with pytest.raises(BadInput, match="expected numbers from 0 to 1"):
        mean_share([0.5, 1.2])


def test_items_of_few_documents_are_counted_by_document():
    hits = np.repeat([True, False, False], 100)
    found = hit_share(hits, np.repeat(["a", "b", "c"], 100))
    assert found.n == 3
    assert found.high - found.low > 0.7
    assert hit_share(hits) == proportion(100, 300)


def test_few_equal_values_say_nothing_of_their_error():
    assert not mean([0.5, 0.5, 0.5]).has_interval


@pytest.mark.parametrize("n", [30, 50, 400])
def test_many_equal_values_have_no_interval_of_width_zero(n):
    """Bounded ones may hide a share of worst or best values that n items would miss: 1 - .025^(1/n) of them."""
    assert not mean(np.full(n, 0.3)).has_interval
    assert not mean(np.full(2 * n, 0.3), np.repeat(np.arange(n), 2)).has_interval
    found, kept = mean_share(np.full(n, 0.3)), 0.025 ** (1 / n)
    assert (found.low, found.high) == pytest.approx((0.3 * kept, 1 - 0.7 * kept))
    wide = few.pseudo_ratio(np.full(n, 0.3), np.ones(n), (0.0, 1.0), (1.0, 1.0), 0)
    assert (found.low, found.high) == pytest.approx(wide, abs=0.003)
    assert mean_gain(np.zeros(n)).high == pytest.approx(1 - kept)


def test_an_estimate_without_interval_is_valid_json_and_comes_back():
    none = Estimate.without_interval(0.5, 1, "1 group")
    said = json.dumps(codec.encode(none), allow_nan=False)
    assert json.loads(said)["low"] is None
    assert codec.decode(Estimate, json.loads(said)) == none
    blocks = (
        Table(("a",), ((none,),)),
        Intervals("t", "x", ("row",), (Series("s", (none,)),), upper=1.0),
        Curves("t", "x", "y", (Curve("c", ((1.0, none), (2.0, mean([0.2, 0.4, 0.9])))),), marked=1.0),
    )
    json.dumps(to_json(blocks), allow_nan=False)
    json.dumps(blocks[1].figure(), allow_nan=False)
    for page in (to_html(blocks), to_markdown(blocks)):
        assert "no interval" in page
        assert "nan" not in page.lower().replace("finance", "")
        assert "inf" not in page.replace("info", "")


def test_a_difference_without_interval_claims_nothing():
    none = Estimate.without_interval(0.9, 1, "1 group")
    for found in (difference(none, proportion(0, 50)), difference(proportion(50, 50), none)):
        assert not found.low > 0
        assert not found.high < 0
        assert not found.has_interval
        assert not math.isnan(found.low)
