"""Measures of a cloud of vectors: known for Gaussian clouds, lines, and clouds with planted oddities."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import skew

from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.core.vectors import unit
from workbench.probe._cloud import Cloud, components_for, iso_score, participation_ratio, skewness
from workbench.probe._geometry import gaussian_like, measure_geometry

N = 500


def cloud(d, n=N, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def published_iso_score(variances):
    """Rudman et al. 2022, algorithm 1, step by step."""
    d = len(variances)
    normed = np.sqrt(d) * variances / np.linalg.norm(variances)
    defect = np.linalg.norm(normed - 1) / np.sqrt(2 * (d - np.sqrt(d)))
    share = (d - defect**2 * (d - np.sqrt(d))) ** 2 / d**2
    return (d * share - 1) / (d - 1)


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=30))
def test_iso_score_is_the_published_one(variances):
    table = np.array(variances)
    assert iso_score(table[None], len(table))[0] == pytest.approx(published_iso_score(table), abs=1e-9)


@given(st.integers(2, 40), st.floats(0.1, 10))
def test_spectra_that_are_known(d, scale):
    both = np.stack([np.full(d, scale), np.eye(d)[0] * scale])
    assert participation_ratio(both) == pytest.approx([d, 1])
    assert iso_score(both, d) == pytest.approx([1, 0])
    assert components_for(both) == pytest.approx([0.9 * d, 0.9])


def test_an_even_cloud_is_isotropic_and_a_line_is_not():
    even = measure_geometry(cloud(8, 2000))
    assert even.iso_score.value.value > 0.97
    assert even.participation.value.value == pytest.approx(8, rel=0.02)
    assert abs(even.mean_cosine.value.value) < 0.01
    assert not even.outliers and not even.dead
    line = measure_geometry(cloud(1) * cloud(20, 1) + 1e-3 * cloud(20, seed=1))
    assert line.iso_score.value.value < 0.01
    assert line.participation.value.value == pytest.approx(1, abs=0.01)
    assert line.components_90.value.value < 1


def test_few_texts_lower_the_participation_of_a_gaussian_alike():
    """With n vectors an even cloud of d dimensions shows about d / (1 + d / n); its floor shows the same."""
    found = measure_geometry(cloud(200))
    assert found.participation.value.value == pytest.approx(200 / (1 + 200 / N), rel=0.03)
    assert found.participation.gaussian.value == pytest.approx(found.participation.value.value, rel=0.03)


def test_hubs_grow_with_the_dimension():
    found = [measure_geometry(cloud(d)) for d in (3, 20, 100)]
    values = [each.hubness.value.value for each in found]
    assert values[0] < values[1] < values[2]
    assert found[0].never_near.value.high > 0, "none of 500 is not none at all"
    for each in found:  # the floors are clouds of the same kind
        assert each.hubness.gaussian.value == pytest.approx(each.hubness.value.value, abs=0.5)


def test_a_shift_is_a_cone_with_the_expected_cosine():
    vectors = cloud(50) + 1.0
    found = measure_geometry(vectors)
    apart = unit(vectors)
    pairs = apart @ apart.T
    upper = np.triu_indices(N, 1)
    assert found.mean_cosine.value.value == pytest.approx(pairs[upper].mean(), abs=1e-9)
    assert found.cosine_spread.value.value == pytest.approx(pairs[upper].std(), abs=1e-9)
    assert found.mean_cosine.value.value == pytest.approx(0.5, abs=0.02)
    assert found.mean_cosine.gaussian.value == pytest.approx(0, abs=0.01)


def test_pairs_of_one_document_are_no_random_pairs():
    centres = cloud(30, 50)
    groups = np.repeat(np.arange(50), 10)
    vectors = centres[groups] + 0.1 * cloud(30)
    found = measure_geometry(vectors, groups)
    apart = unit(vectors)
    other = groups[:, None] != groups[None, :]
    assert found.mean_cosine.value.value == pytest.approx((apart @ apart.T)[other].mean(), abs=1e-9)
    assert found.groups == 50
    alone = measure_geometry(vectors)
    assert found.mean_cosine.value.high - found.mean_cosine.value.low > (
        1.5 * (alone.mean_cosine.value.high - alone.mean_cosine.value.low)
    ), "documents are fewer than texts, so the interval is wider"


def test_planted_dimensions_are_found():
    vectors = cloud(40)
    vectors[:, 7] = 9 + 0.1 * vectors[:, 7]
    vectors[:, 13] = 1e-9 * vectors[:, 13]
    found = measure_geometry(vectors)
    assert [each.dimension for each in found.outliers] == [7]
    assert found.dead == (13,)
    assert found.top_share.value.value > 0.6
    assert "dimension 7 (" in found.told()[3] and "dimension 13" in found.told()[3]


def test_norms_are_told_unless_they_are_all_one():
    found = measure_geometry(3 * cloud(25))
    lengths = 3 * np.linalg.norm(cloud(25), axis=1)
    half = 1.96 * lengths.std() / np.sqrt(N)
    estimate = found.norm.value
    assert estimate.value == pytest.approx(lengths.mean())
    assert estimate.high - estimate.value == pytest.approx(half, rel=0.45), "the jackknife's interval is the usual one"
    assert found.norm_limits == pytest.approx((lengths.min(), lengths.max()))
    assert not found.normalised and any(row[0] == "mean norm" for row in found.table().rows)
    whole = measure_geometry(unit(cloud(25)))
    assert whole.normalised and not any(row[0] == "mean norm" for row in whole.table().rows)
    assert whole.norm.gaussian.value == pytest.approx(1)


def test_intervals_hold_what_they_should():
    """Over many clouds, about 95% of the intervals of the mean cosine hold the true one."""
    held = 0
    for seed in range(40):
        vectors = cloud(6, 120, seed) + np.array([1.0, 0, 0, 0, 0, 0])
        truth = _mean_direction() ** 2
        estimate = Cloud(vectors, np.arange(120), seed).measures()["mean_cosine"]
        held += estimate.low <= truth <= estimate.high
    assert 34 <= held <= 40


def _mean_direction():
    """Length of the mean of the unit vectors of these clouds, from many of them."""
    return float(np.linalg.norm(unit(cloud(6, 50_000, 99) + np.array([1.0, 0, 0, 0, 0, 0])).mean(0)))


def test_eigenvalues_without_a_part_are_nearly_those_that_are_computed_anew():
    vectors = cloud(12) * np.linspace(1, 3, 12)
    whole = Cloud(vectors, np.arange(N), 0)
    near = participation_ratio(whole.spectra)[1:]
    left = [np.cov(vectors[whole.parts != part].T, bias=True) for part in range(whole.count)]
    exact = participation_ratio(np.linalg.eigvalsh(left))
    assert np.corrcoef(near, exact)[0, 1] > 0.97
    assert near.std() == pytest.approx(np.std(exact), rel=0.1)


@given(st.lists(st.integers(0, 40), min_size=3, max_size=50))
def test_skewness_is_scipys(counts):
    table = np.array(counts, float)
    expected = skew(table) if table.std() else 0.0
    assert skewness(table) == pytest.approx(expected, abs=1e-9)


def test_a_gaussian_like_another_has_its_mean_and_covariance():
    vectors = cloud(10, 20_000) @ cloud(10, 10, 5) + 2
    drawn = gaussian_like(vectors, np.random.default_rng(1))
    assert np.allclose(drawn.mean(0), vectors.mean(0), atol=0.1)
    assert np.allclose(np.cov(drawn.T), np.cov(vectors.T), atol=0.6)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v[:99], "expected at least 100 vectors"),
        (lambda v: v[:, :2], "expected at least 100 vectors"),
        (lambda v: np.where(np.arange(N)[:, None] == 3, np.nan, v), "row 3 of vectors holds NaN"),
        (lambda v: np.where(np.arange(N)[:, None] == 3, 0.0, v), "row 3 is a zero vector"),
        (np.ones_like, "are alike"),
    ],
)
def test_what_cannot_be_measured_is_refused(spoil, message):
    with pytest.raises(BadInput, match=message):
        measure_geometry(spoil(cloud(5)))


@settings(max_examples=8)
@given(st.integers(3, 30), st.integers(1, 60), st.booleans(), st.integers(0, 3))
def test_odd_clouds_are_measured(d, groups, double, decimals):
    """Duplicates, ties, one document, more dimensions than a part has vectors: finite numbers, saved and shown."""
    vectors = np.round(cloud(d, 120), decimals) + 0.01
    vectors = np.repeat(vectors[:60], 2, axis=0) if double else vectors
    found = measure_geometry(vectors.astype(np.float32), np.arange(120) % groups)
    again = Result.from_json(found.to_json())
    assert again == found
    assert found._repr_html_()
    assert 0 <= found.iso_score.value.low <= found.iso_score.value.high <= 1


def test_the_seed_decides_all_but_the_time():
    one, two = (replace(measure_geometry(cloud(9), seed=4), seconds=0.0) for _ in range(2))
    assert one == two
    assert one != replace(measure_geometry(cloud(9), seed=5), seconds=0.0)
