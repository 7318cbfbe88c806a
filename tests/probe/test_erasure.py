"""LEACE keeps its theorem, and the four traps around it are closed or shown."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from concept_erasure import LeaceFitter
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench.core.errors import BadInput
from workbench.probe.erasure import Eraser


def sample(n=600, d=12, k=3, seed=0, gap=1.5):
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n)
    labels[:k] = np.arange(k)
    vectors = random.standard_normal((n, d)) @ random.standard_normal((d, d))
    return vectors + gap * random.standard_normal((k, d))[labels] + random.standard_normal(d), labels


def covariance(vectors, labels):
    """Of every dimension with every class, in the units of a correlation."""
    classes = np.unique(labels)
    onehot = (np.asarray(labels)[:, None] == classes).astype(float)
    spread = np.maximum(vectors.std(0)[:, None] * onehot.std(0), 1e-300)
    return (vectors - vectors.mean(0)).T @ (onehot - onehot.mean(0)) / len(vectors) / spread


def best_linear(vectors, labels):
    """A linear probe that nothing holds back, on the very rows it learns from."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=1e6, tol=1e-10, max_iter=5000))
    return probe.fit(vectors, labels)


def entropy(labels):
    share = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(share * np.log(share)).sum())


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(5, 20), st.booleans())
def test_the_theorem(seed, k, d, shrinkage):
    vectors, labels = sample(n=300, d=d, k=k, seed=seed)
    eraser = Eraser.fit(vectors, labels, shrinkage=shrinkage)
    erased = eraser.erase(vectors)
    assert np.abs(covariance(erased, labels)).max() < 1e-9
    np.testing.assert_allclose(eraser.erase(erased), erased, atol=1e-9 * np.abs(vectors).max())
    assert eraser.rank == k - 1
    assert np.linalg.matrix_rank(vectors - erased, tol=1e-6) == k - 1
    np.testing.assert_allclose(erased.mean(0), vectors.mean(0), atol=1e-9 * np.abs(vectors).max())


@pytest.mark.parametrize("k", [2, 4])
def test_no_linear_probe_beats_the_entropy_of_the_labels(k):
    vectors, labels = sample(k=k, seed=k)
    erased = Eraser.fit(vectors, labels).erase(vectors)
    before = log_loss(labels, best_linear(vectors, labels).predict_proba(vectors))
    after = log_loss(labels, best_linear(erased, labels).predict_proba(erased))
    assert before < entropy(labels) - 0.1
    assert after == pytest.approx(entropy(labels), abs=1e-3)


def test_fitting_again_on_erased_vectors_finds_nothing():
    vectors, labels = sample()
    erased = Eraser.fit(vectors, labels, shrinkage=False).erase(vectors)
    again = Eraser.fit(erased, labels, shrinkage=False)
    assert again.rank == 0
    np.testing.assert_array_equal(again.erase(erased), erased)


def test_moves_vectors_no_more_than_an_orthogonal_projection_that_erases_as_much():
    vectors, labels = sample()
    erased = Eraser.fit(vectors, labels, shrinkage=False).erase(vectors)
    centred = vectors - vectors.mean(0)
    span = np.linalg.svd(covariance(vectors, labels) * vectors.std(0)[:, None], full_matrices=False)[0][:, :2]
    orthogonal = vectors - centred @ span @ span.T
    assert np.abs(covariance(orthogonal, labels)).max() < 1e-9
    assert np.square(vectors - erased).sum() < np.square(vectors - orthogonal).sum()


def test_units_of_the_dimensions_do_not_matter():
    vectors, labels = sample()
    units = 10.0 ** np.linspace(-9, 3, vectors.shape[1])
    one = Eraser.fit(vectors, labels, shrinkage=False).erase(vectors)
    two = Eraser.fit(vectors * units, labels, shrinkage=False).erase(vectors * units)
    np.testing.assert_allclose(two / units, one, atol=1e-6)


def test_trap_one_numbers_of_classes_are_not_an_order():
    """A column of integers erases a trend: a middle class stays where it was."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 900)
    vectors = random.standard_normal((900, 6))
    vectors[:, 0] += 3.0 * (labels == 1)
    column = torch.from_numpy(labels[:, None].astype(float))
    trend = LeaceFitter.fit(torch.from_numpy(vectors), column).eraser(torch.from_numpy(vectors)).numpy()
    ours = Eraser.fit(vectors, labels).erase(vectors)
    assert best_linear(trend, labels).score(trend, labels) > 0.55
    majority = np.bincount(labels).max() / len(labels)
    assert best_linear(ours, labels).score(ours, labels) == pytest.approx(majority, abs=0.01)


def test_trap_two_a_class_of_one_in_two_hundred_is_erased_too():
    random = np.random.default_rng(0)
    labels = np.arange(8000) % 200 == 0
    vectors = random.standard_normal((8000, 6))
    vectors[:, 0] += 1.3 * labels
    table, onehot = torch.from_numpy(vectors), torch.from_numpy(np.eye(2)[labels.astype(int)])
    default = LeaceFitter.fit(table, onehot).eraser(table).numpy()
    ours = Eraser.fit(vectors, labels)
    assert roc_auc_score(labels, best_linear(default, labels).decision_function(default)) > 0.75
    assert np.abs(covariance(ours.erase(vectors), labels)).max() < 1e-9
    assert ours.rank == 1


def cone(n=2000, d=16):
    """Unit vectors of two classes; those of the first are much nearer to each other."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % 2
    centre = np.zeros(d)
    centre[0] = 1.0
    vectors = centre + np.where(labels, 0.5, 0.1)[:, None] * random.standard_normal((n, d))
    vectors[:, 1] += 0.5 * labels
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), labels


def test_trap_three_renormalising_leaks():
    vectors, labels = cone()
    eraser = Eraser.fit(vectors, labels)
    erased, again = eraser.erase(vectors), eraser.erase(vectors, renormalise=True)
    np.testing.assert_allclose(np.linalg.norm(again, axis=1), 1.0)
    assert np.abs(covariance(erased, labels)).max() < 1e-9 < 0.05 < np.abs(covariance(again, labels)).max()
    assert best_linear(erased, labels).score(erased, labels) < 0.52
    assert best_linear(again, labels).score(again, labels) > 0.65


@pytest.mark.parametrize("kind", [bool, int, str, object])
def test_labels_of_any_kind_erase_the_same(kind):
    vectors, labels = sample(k=2)
    wanted = Eraser.fit(vectors, labels).erase(vectors)
    found = Eraser.fit(vectors, labels.astype(kind))
    np.testing.assert_allclose(found.erase(vectors), wanted)
    np.testing.assert_allclose(Eraser.fit(vectors, labels.astype(kind).tolist()).erase(vectors), wanted)
    assert len(found.classes) == 2


def test_single_precision_in_single_precision_out():
    vectors, labels = sample()
    vectors = vectors.astype(np.float32)
    erased = Eraser.fit(vectors, labels).erase(vectors)
    assert erased.dtype == np.float32
    assert np.abs(covariance(erased.astype(np.float64), labels)).max() < 1e-6


def test_a_constant_dimension_and_a_zero_vector_are_no_obstacle():
    vectors, labels = sample()
    vectors[:, 3], vectors[5] = 7.0, 0.0
    vectors[5, 3] = 7.0
    eraser = Eraser.fit(vectors, labels)
    assert np.abs(covariance(eraser.erase(vectors), labels)).max() < 1e-9
    assert np.isfinite(eraser.erase(np.zeros((1, 12)), renormalise=True)).all()


def test_fewer_rows_than_dimensions():
    vectors, labels = sample(n=30, d=60, k=2)
    for shrinkage in (True, False):
        erased = Eraser.fit(vectors, labels, shrinkage=shrinkage).erase(vectors)
        assert np.abs(covariance(erased, labels)).max() < 1e-9


def test_rows_that_were_not_seen_keep_a_remainder_of_d_over_n():
    """The squared distance of the class means, in the classes' own spread, is about 4 d / n after a fit on n rows."""
    d, fresh = 50, 40_000
    random = np.random.default_rng(0)
    labels = np.arange(fresh) % 2
    vectors = random.standard_normal((fresh, d)) + labels[:, None]
    for n in (500, 4000):
        erased = Eraser.fit(vectors[:n], labels[:n]).erase(vectors)[20_000:]
        gap = erased[1::2].mean(0) - erased[::2].mean(0)
        left = gap @ np.linalg.pinv(np.cov(erased.T), rcond=1e-8) @ gap
        assert 0.5 * 4 * d / n < left < 2 * 4 * d / n


def test_comes_back_from_a_file(tmp_path):
    vectors, labels = sample()
    eraser = Eraser.fit(vectors, labels)
    eraser.save(tmp_path / "eraser.safetensors")
    again = Eraser.load(tmp_path / "eraser.safetensors")
    np.testing.assert_array_equal(again.erase(vectors), eraser.erase(vectors))
    assert again.classes == ("0", "1", "2")
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    for name in ("bad.safetensors", "none.safetensors"):
        with pytest.raises(BadInput, match="not a whole safetensors file"):
            Eraser.load(tmp_path / name)


def test_bad_input_is_named():
    vectors, labels = sample(n=50, d=6)
    with pytest.raises(BadInput, match="1 distinct values"):
        Eraser.fit(vectors, [1] * 50)
    with pytest.raises(BadInput, match="row 4"):
        Eraser.fit(np.where(np.arange(50)[:, None] == 4, np.nan, vectors), labels)
    with pytest.raises(BadInput, match=r"\(49,\)"):
        Eraser.fit(vectors, labels[1:].tolist())
    with pytest.raises(BadInput, match="all 50 rows are missing"):
        Eraser.fit(vectors, [None] * 50)
    with pytest.raises(BadInput, match="grade"):
        Eraser.fit(vectors, labels + 0.5)
    with pytest.raises(BadInput, match="7 classes in 6 dimensions"):
        Eraser.fit(vectors, np.arange(50) % 7)
    with pytest.raises(BadInput, match=r"expected \(n, 6\)"):
        Eraser.fit(vectors, labels).erase(vectors[:, 1:])
