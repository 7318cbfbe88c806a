"""Maps between spaces: a rotation is no secret, and a map says what it can do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from workbench.core.errors import BadInput
from workbench.core.vectors import unit
from workbench.invert._align import LAMBDAS, fit_paired_map, fit_procrustes, fit_ridge_map, loo_residuals
from workbench.invert._relational import fit_unpaired_map


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


def cloud(n, d, seed=0, offset=0.5):
    return unit(np.random.default_rng(seed).standard_normal((n, d)) + offset)


def matched(a, b):
    """Share of the rows of `a` whose nearest row of `b` is their own."""
    return float(((a @ b.T).argmax(1) == np.arange(len(a))).mean())


@given(st.integers(2, 24), st.integers(0, 99))
def test_as_many_pairs_as_dimensions_give_a_rotation_away_to_procrustes(d, seed):
    turn, fresh = rotation(d, seed), cloud(20, d, seed + 1)
    pairs = cloud(d, d, seed)
    assert fit_procrustes(pairs, pairs @ turn).apply(fresh) == pytest.approx(fresh @ turn, abs=1e-4)


@given(st.integers(2, 24), st.integers(0, 99))
def test_a_few_more_pairs_give_it_away_to_ridge(d, seed):
    turn, fresh = rotation(d, seed), cloud(20, d, seed + 1)
    pairs = cloud(3 * d + 5, d, seed)
    found = fit_ridge_map(pairs, pairs @ turn)
    assert found.apply(fresh) == pytest.approx(fresh @ turn, abs=1e-3)
    assert found.held_out == pytest.approx(1.0, abs=1e-6)


def test_the_length_of_vectors_plays_no_part():
    a, turn = cloud(40, 8), rotation(8)
    lengths = np.random.default_rng(1).uniform(0.1, 9.0, (40, 1))
    found = fit_paired_map(lengths * a, a @ turn * lengths[::-1])
    assert found.apply(lengths * a) == pytest.approx(fit_paired_map(a, a @ turn).apply(a), abs=1e-6)
    assert np.linalg.norm(found.apply(7.0 * a), axis=1) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("n", "d"), [(4, 9), (10, 9), (30, 9)])
def test_leave_one_out_in_closed_form_is_leave_one_out(n, d):
    random = np.random.default_rng(n)
    a = cloud(n, d)
    b = unit(a @ random.standard_normal((d, 6)) + 0.4 * random.standard_normal((n, 6)))
    error = {}
    for penalty in (1e-4, 1e-2, 1.0, 10.0):
        brute = np.empty_like(b)
        for i in range(n):
            rest = np.arange(n) != i
            mean_a, mean_b = a[rest].mean(0), b[rest].mean(0)
            x, y = a[rest] - mean_a, b[rest] - mean_b
            weight = np.linalg.solve(x.T @ x + penalty * np.eye(d), x.T @ y)
            brute[i] = b[i] - mean_b - (a[i] - mean_a) @ weight
        assert loo_residuals(a, b, penalty) == pytest.approx(brute, abs=1e-7)
        error[penalty] = np.square(brute).sum()
    largest = float(np.linalg.norm(a - a.mean(0), 2) ** 2)
    chosen = fit_ridge_map(a, b, [penalty / largest for penalty in error]).penalty
    assert chosen == pytest.approx(min(error, key=error.__getitem__))


def test_ridge_has_no_peak_of_error_where_pairs_are_as_many_as_dimensions():
    d, random = 40, np.random.default_rng(0)
    weight = random.standard_normal((d, d))

    def draw(n):
        a = cloud(n, d, int(random.integers(2**31)))
        return a, unit(a @ weight + 1.5 * random.standard_normal((n, d)))

    fresh, true = draw(500)

    def error(fit, k):
        return np.mean([1 - (fit(*draw(k)).apply(fresh) * true).sum(1).mean() for _ in range(8)])

    ridge = [error(fit_ridge_map, k) for k in (20, 40, 80)]
    assert ridge[0] > ridge[1] > ridge[2]
    plain = [error(lambda a, b: fit_ridge_map(a, b, LAMBDAS[:1]), k) for k in (20, 41, 80)]
    assert plain[1] > plain[0], "without the penalty there is one"


def test_dimensions_may_differ_both_ways():
    texts = cloud(200, 12)
    up = texts @ np.linalg.qr(np.random.default_rng(1).standard_normal((30, 12)))[0].T
    for a, b in ((texts, up), (up, texts)):
        for fit in (fit_procrustes, fit_ridge_map, fit_paired_map):
            assert fit(a[:100], b[:100]).apply(a[100:]) == pytest.approx(b[100:], abs=1e-3)


def test_the_better_of_both_is_taken():
    turn, noise = rotation(30), np.random.default_rng(2)
    few = cloud(30, 30)
    assert fit_paired_map(few, unit(few @ turn + 0.02 * noise.standard_normal((30, 30)))).kind == "procrustes"
    many, stretch = cloud(400, 30), np.diag(np.geomspace(1, 50, 30))
    found = fit_paired_map(many, unit(many @ stretch))
    assert found.kind == "ridge"
    fresh = cloud(200, 30, 9)
    assert found.held_out == pytest.approx((found.apply(fresh) * unit(fresh @ stretch)).sum(1).mean(), abs=0.02)


def test_what_no_pair_tells_of_is_not_made_up():
    pairs = cloud(3, 10)
    assert np.linalg.matrix_rank(fit_procrustes(pairs, pairs @ rotation(10)).matrix) == 3


def sources(n, seed, k=24):
    """What texts of eight kinds speak of: seldom much of one thing, each in its own way, and some things together."""
    random = np.random.default_rng(seed)
    kinds = np.random.default_rng(7).uniform(0.0, 1.0, (8, k)) ** 3
    return random.exponential(1.0, (n, k)) ** np.linspace(0.8, 1.2, k) * kinds[random.integers(8, size=n)]


def spoken(values, d, seed):
    """Those as vectors of an embedder of its own, which says some of it wrong."""
    k = values.shape[1]
    wrong = 0.1 * np.random.default_rng([seed, len(values)]).standard_normal((len(values), d))
    return unit(values @ rotation(max(k, d), seed)[:k, :d] + wrong)


def test_the_shape_of_a_cloud_alone_gives_its_rotation_away():
    turn = rotation(24)
    stolen, own, fresh = (spoken(sources(n, seed), 24, 4) for n, seed in ((1000, 1), (1200, 2), (300, 3)))
    found = fit_unpaired_map(stolen @ turn, own, seed=0)
    assert found.kind == "unpaired"
    assert matched(found.apply(fresh @ turn), fresh) >= 0.9
    assert (found.apply(fresh @ turn) * fresh).sum(1).mean() > 0.95
    again = fit_unpaired_map(stolen @ turn, own, seed=0)
    assert (again.matrix == found.matrix).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_two_embedders_of_the_same_things_are_laid_over_each_other(seed):
    """Each has dimensions and mistakes of its own."""
    fresh = sources(300, 3)
    found = fit_unpaired_map(spoken(sources(1500, 1), 28, 4), spoken(sources(1600, 2), 24, 5), seed)
    assert matched(found.apply(spoken(fresh, 28, 4)), spoken(fresh, 24, 5)) > 0.8


def test_unrelated_clouds_are_matched_by_chance_only():
    stolen, own = spoken(sources(600, 1), 24, 4), cloud(600, 20, offset=0.1)
    fresh, other = spoken(sources(300, 3), 24, 4), cloud(300, 20, 5, offset=0.1)
    assert matched(fit_unpaired_map(stolen, own).apply(fresh), other) < 0.03


def test_what_cannot_be_mapped_is_refused():
    a, b = cloud(20, 5), cloud(20, 4)
    spoilt = a.copy()
    spoilt[3, 0] = np.nan
    for fit in (fit_ridge_map, fit_procrustes, fit_paired_map):
        with pytest.raises(BadInput, match="at least 2 pairs to be fitted; got 1"):
            fit(a[:1], b[:1])
        with pytest.raises(TypeCheckError, match="n=20"):  # without jaxtyping's checks, BadInput
            fit(a, b[:19])
        with pytest.raises(BadInput, match="row 3 of the pairs holds NaN"):
            fit(spoilt, b)
        with pytest.raises(BadInput, match="vectors have 4 dimensions; this map expects 5"):
            fit(a, b).apply(b)
    with pytest.raises(BadInput, match="the vectors to map are 20; without pairs at least 200"):
        fit_unpaired_map(a, b)
    with pytest.raises(BadInput, match="row 3 of the vectors to map holds NaN"):
        fit_unpaired_map(spoilt, b)


@pytest.mark.parametrize("store", [np.ones((300, 24)), np.zeros((300, 24)), np.eye(24)[np.arange(300) % 2]])
def test_vectors_that_are_all_alike_are_refused_without_pairs(store):
    with pytest.raises(BadInput, match=r"vary along [01] axes"):
        fit_unpaired_map(store, cloud(300, 24))


@pytest.mark.parametrize("k", [2, 3])
def test_very_few_pairs_are_no_error(k):
    found = fit_paired_map(cloud(k, 6), cloud(k, 4, 1))
    assert np.isfinite(found.apply(cloud(9, 6, 2))).all()


def test_equal_pairs_are_no_error():
    found = fit_paired_map(np.ones((5, 6)), np.ones((5, 4)))
    assert found.apply(cloud(3, 6)) == pytest.approx(0.5)
