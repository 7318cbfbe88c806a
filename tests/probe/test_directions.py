"""Directions point from class to class, steer by the class gap, and are told from chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.attribute import open_attributor
from workbench.core.errors import BadInput, UnknownName
from workbench.core.result import Result
from workbench.probe.directions import DIRECTIONS, find_direction
from workbench.probe.directions.cav import permuted, rank_p
from workbench.report import Report


def sample(n=500, d=16, gap=1.5, seed=0):
    random = np.random.default_rng(seed)
    labels = random.random(n) < 0.4
    planted = random.standard_normal(d)
    planted /= np.linalg.norm(planted)
    return random.standard_normal((n, d)) + gap * labels[:, None] * planted, labels, planted


def split(n=500):
    return np.where(np.arange(n) % 10 < 6, "train", np.where(np.arange(n) % 10 < 7, "validation", "test"))


def find(vectors, labels, method="mean-difference", **options):
    return find_direction(vectors, labels, method, split=split(len(vectors)), device="cpu", **options)


@pytest.mark.parametrize("method", DIRECTIONS.names())
def test_every_method_finds_a_planted_direction(method):
    vectors, labels, planted = sample(gap=2.0)
    found = find(vectors, labels, method)
    assert np.linalg.norm(found.vector) == pytest.approx(1.0)
    assert found.vector @ planted > 0.85
    assert found.auc.low > 0.8
    assert found.train == 350 and found.test == 150
    learnt = split() != "test"
    places = found.place(vectors[learnt])
    assert places[labels[learnt]].mean() == pytest.approx(0.5)
    assert places[~labels[learnt]].mean() == pytest.approx(-0.5)


@pytest.mark.parametrize("method", ["cav", "logistic"])
def test_a_probe_s_direction_lives_in_the_space_of_raw_vectors(method):
    """Units of the dimensions change: the projection of the probe's weight does not, up to its length."""
    vectors, labels, _ = sample()
    units = np.linspace(0.1, 10, vectors.shape[1])
    one, two = find(vectors, labels, method), find(vectors * units + 3, labels, method)
    assert np.corrcoef(one.project(vectors), two.project(vectors * units + 3))[0, 1] > 1 - 1e-4


@pytest.fixture(scope="module")
def planted():
    return find(*sample(seed=3)[:2])


@given(seed=st.integers(0, 1000), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_projection_is_linear(seed, a, b, planted):
    found = planted
    one, two = np.random.default_rng(seed).standard_normal((2, 7, 16))
    together = found.project(a * one + b * two)
    np.testing.assert_allclose(together, a * found.project(one) + b * found.project(two), atol=1e-9)


def test_one_gap_carries_one_class_mean_onto_the_other():
    vectors, labels, _ = sample()
    learnt = split() != "test"
    found = find(vectors, labels)
    low, high = vectors[learnt & ~labels].mean(0), vectors[learnt & labels].mean(0)
    np.testing.assert_allclose(found.steer(low[None], 1.0)[0], high, atol=1e-9)
    np.testing.assert_allclose(found.steer(found.steer(low[None], 0.7), -0.7)[0], low, atol=1e-9)


@pytest.mark.parametrize("method", DIRECTIONS.names())
def test_steering_moves_places_by_the_amount(method):
    vectors, labels, _ = sample()
    found = find(vectors, labels, method)
    np.testing.assert_allclose(found.place(found.steer(vectors, 2.5)), found.place(vectors) + 2.5, atol=1e-9)


def test_unit_rows_stay_unit_and_others_do_not():
    vectors, labels, _ = sample()
    found = find(vectors, labels)
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    mixed = np.concatenate([units[:3], 4 * units[3:6]])
    moved = found.steer(mixed, 1.0)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(moved[:3], axis=1), 1.0, atol=1e-6)
    assert (np.abs(np.linalg.norm(moved[3:], axis=1) - 1) > 0.1).all()
    assert (found.project(moved) > found.project(mixed)).all()


def test_directions_from_random_labels_are_not_significant():
    values = []
    for seed in range(40):
        vectors, _, _ = sample(n=200, d=8, gap=0.0, seed=seed)
        labels = np.random.default_rng(1000 + seed).random(200) < 0.5
        test = find(vectors, labels, "cav", seed=seed).random_test
        values.append((test.p_gap, test.p_accuracy))
    values = np.array(values)
    assert ((values <= 0.05).mean(0) <= 0.15).all()
    assert (np.abs(values.mean(0) - 0.5) < 0.17).all(), "p is near uniform"


def test_a_planted_direction_is_significant():
    for seed in range(5):
        found = find(*sample(seed=seed)[:2], "cav", seed=seed)
        assert found.p_value == pytest.approx(1 / 51)
        assert found.random_test.gap > found.random_test.random_gap
        assert found.random_test.accuracy.low > found.random_test.random_accuracy


def test_labels_constant_in_documents_are_permuted_by_document():
    groups = np.array([f"d{number}" for number in np.repeat(np.arange(30), 4)])
    labels = np.repeat(np.arange(30) < 12, 4)
    columns = permuted(labels, groups, 0)
    assert columns.shape == (120, 50) and (columns.sum(0) == labels.sum()).all()
    assert (columns.reshape(30, 4, 50).std(1) == 0).all(), "a document has one label in each draw"
    mixed = permuted(np.arange(120) % 3 == 0, groups, 0)
    assert (mixed.sum(0) == 40).all() and (mixed.reshape(30, 4, 50).std(1) > 0).any()


@pytest.mark.parametrize("method", DIRECTIONS.names())
def test_dimensions_that_hardly_vary_do_not_draw_the_direction(method):
    """Trained embedders have some with a spread of 1e-9 and less, and a standardising probe gives them their say."""
    vectors, labels, planted = sample(gap=2.0)
    vectors[:, 3] = 1e-9 * (np.random.default_rng(0).standard_normal(500) + labels)
    found = find(vectors, labels, method)
    assert found.vector @ planted > 0.85 * np.sqrt(1 - planted[3] ** 2) and abs(found.vector[3]) < 1e-6
    assert found.scale > 1.0


def test_rank_p_counts_ties_against_the_direction():
    assert rank_p(np.array([9.0, *np.zeros(50)])) == pytest.approx(1 / 51)
    assert rank_p(np.zeros(51)) == 1.0
    assert rank_p(np.array([-9.0, *np.linspace(-1, 1, 19)])) == pytest.approx(1 / 20)


@pytest.mark.parametrize("kind", [bool, int, str])
def test_labels_of_any_kind(kind):
    vectors, labels, _ = sample()
    found = find(vectors, labels.astype(kind))
    np.testing.assert_allclose(found.vector, find(vectors, labels).vector)
    assert (found.negative, found.positive) == tuple(str(value) for value in np.array([False, True]).astype(kind))


def test_one_of_many_classes_against_the_rest():
    vectors, _, _ = sample()
    labels = np.array(["a", "b", "c"])[np.arange(500) % 3]
    vectors[labels == "b"] += 1.0
    found = find(vectors, labels, positive="b")
    assert found.negative == "the rest" and found.name == "b against the rest" and found.auc.low > 0.9
    assert find(vectors, labels == "b", positive="False", name="no b").vector @ found.vector == pytest.approx(-1.0)
    with pytest.raises(BadInput, match="name one as `positive`: a, b, c"):
        find(vectors, labels)
    with pytest.raises(BadInput, match="expected one of a, b, c"):
        find(vectors, labels, positive="d")


@pytest.mark.parametrize("method", ["logistic", "cav"])
def test_renders_and_comes_back_whole(method, tmp_path):
    vectors, labels, _ = sample()
    found = find(vectors, labels, method, name="planted")
    found.save(tmp_path / "d.json")
    again = Result.load(tmp_path / "d.json")
    assert again.to_json() == found.to_json()
    np.testing.assert_array_equal(again.project(vectors), found.project(vectors))
    paths = Report("Directions", (found,)).save(tmp_path)
    assert "Direction: planted" in paths[1].read_text()
    assert "not tested" in found._repr_html_() or method == "cav"


def test_a_direction_is_what_attribution_needs(toy):
    texts = [f"the {a} and the {b}" for a in ("cat", "dog", "cow") for b in map(str, range(20))]
    found = find_direction(toy.embed(texts), ["cat" in text for text in texts], name="cats")
    told = open_attributor(toy, "occlusion").toward("a cat sleeps", found.vector, about=found.name)
    assert told.score == pytest.approx(found.project(toy.embed(["a cat sleeps"]))[0], abs=1e-6)
    assert told.tokens[int(np.argmax(told.values))] == "cat"


def test_a_split_by_hash_needs_no_words():
    vectors, labels, _ = sample()
    found = find_direction(vectors, labels)
    assert found.train + found.test == 500 and found.auc.low > 0.65  # of fewer than 30 positives


def test_bad_input_is_named():
    vectors, labels, _ = sample(n=50)
    with pytest.raises(UnknownName, match="mean-difference"):
        find(vectors, labels, "mean-diference")
    with pytest.raises(BadInput, match="1 distinct"):
        find(vectors, [True] * 50)
    with pytest.raises(BadInput, match="row 4"):
        find(np.where(np.arange(50)[:, None] == 4, np.nan, vectors), labels)
    with pytest.raises(BadInput, match="items to test there is"):
        find(vectors, split(50) == "train")
    with pytest.raises(BadInput, match="both learnt from and tested"):
        find(vectors, labels, groups=np.arange(50) // 5)
    with pytest.raises(BadInput, match="no test items"):
        find_direction(vectors, labels, split=["train"] * 50)
    with pytest.raises(BadInput, match="split holds 'dev'"):
        find_direction(vectors, labels, split=["dev"] * 50)
    with pytest.raises(BadInput, match="no direction"):
        find(np.ones((50, 3)), labels)
    found = find(vectors, labels)
    with pytest.raises(BadInput, match=r"expected \(n, 16\)"):
        found.project(vectors[:, 1:])
    with pytest.raises(BadInput, match="row 0"):
        found.steer(vectors * np.nan, 1.0)
    with pytest.raises(BadInput, match="finite number of class gaps"):
        found.steer(vectors, float("inf"))
    np.testing.assert_allclose(found.project(np.zeros((2, 16))), 0.0)
