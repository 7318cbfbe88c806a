"""Batched probes are scikit-learn's probes, only all at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench.core.errors import BadInput
from workbench.embed import load_embedder
from workbench.probe import BatchedLogistic, _design
from workbench.probe._design import Design


def sample(n=400, d=20, k=6, seed=0, noise=1.0):
    random = np.random.default_rng(seed)
    vectors = (random.standard_normal((n, d)) @ random.standard_normal((d, d))).astype(np.float32)
    logits = vectors @ random.standard_normal((d, k)) + noise * random.standard_normal((n, k))
    bars = [np.quantile(column, share) for column, share in zip(logits.T, random.uniform(0.2, 0.8, k), strict=True)]
    return vectors, logits > np.array(bars)


def reference(vectors, labels, c):
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=c, tol=1e-8, max_iter=10_000))
    return probe.fit(vectors.astype(np.float64), labels)


@pytest.mark.parametrize("c", [0.01, 1.0, 10.0])
def test_equals_scikit_learn(c):
    vectors, labels = sample(noise=6.0)
    ours = BatchedLogistic(C=c, tol=1e-5, device="cpu").fit(vectors, labels)
    assert BatchedLogistic(C=c, device="cpu").fit(vectors, labels).converged_.all()
    for column in range(labels.shape[1]):
        theirs = reference(vectors, labels[:, column], c).predict_proba(vectors)[:, 1]
        np.testing.assert_allclose(ours.predict_proba(vectors)[:, column], theirs, atol=2e-3)


def test_a_table_that_is_too_large_to_hold_gives_the_same_probes(monkeypatch):
    vectors, labels = sample(noise=6.0)
    vectors[:, 3] = 0.25  # a constant dimension
    held = BatchedLogistic(tol=1e-5, device="cpu").fit(vectors, labels)
    monkeypatch.setattr(_design, "_HELD", 0)
    monkeypatch.setattr(_design, "_ROWS", 37)
    through = BatchedLogistic(tol=1e-5, device="cpu").fit(vectors, labels)
    assert Design(vectors, "cpu")._table is None
    np.testing.assert_allclose(through.predict_proba(vectors), held.predict_proba(vectors), atol=1e-4)
    assert not through.coef_[:, 3].any()


@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_products_with_a_large_table_are_those_with_the_small_one(n, k, seed):
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((n, 4)).astype(np.float32) + 3
    weights = torch.from_numpy(random.standard_normal((5, k)).astype(np.float32))
    slopes = torch.from_numpy(random.standard_normal((n, k)).astype(np.float32))
    small = Design(vectors, "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_design, "_HELD", 0)
        patch.setattr(_design, "_ROWS", 7)
        large = Design(vectors, "cpu")
        assert torch.allclose(small.turn()[0], large.turn()[0], atol=1e-3)
        large._axes = small._axes  # of equal spreads any axes are right
        for product, factor in (("times", weights), ("back", slopes), ("squared_back", slopes)):
            found, wanted = (getattr(design, product)(factor) for design in (large, small))
            assert torch.allclose(found, wanted, atol=1e-3), product


def test_a_path_of_penalties_is_one_fit():
    vectors, labels = sample(k=1, noise=6.0)
    path = np.array([0.01, 0.1, 1.0, 10.0])
    ours = BatchedLogistic(C=path, device="cpu").fit(vectors, np.repeat(labels, 4, axis=1))
    lengths = np.linalg.norm(ours.coef_ * vectors.std(0), axis=1)
    assert (np.diff(lengths) > 0).all(), "a weaker penalty leaves longer weights"
    for row, c in enumerate(path):
        alone = BatchedLogistic(C=float(c), device="cpu").fit(vectors, labels)
        np.testing.assert_allclose(ours.coef_[row], alone.coef_[0], atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-50, 50), st.floats(0.01, 100))
def test_shift_and_scale_of_the_vectors_change_nothing(seed, shift, scale):
    vectors, labels = sample(n=120, d=8, k=3, seed=seed, noise=4.0)
    one = BatchedLogistic(device="cpu", tol=1e-5).fit(vectors, labels)
    two = BatchedLogistic(device="cpu", tol=1e-5).fit(vectors * scale + shift, labels)
    np.testing.assert_allclose(one.predict_proba(vectors), two.predict_proba(vectors * scale + shift), atol=2e-2)


def test_labels_that_can_be_told_apart_wholly_end():
    vectors, labels = sample(noise=0.0)
    ours = BatchedLogistic(C=100.0, device="cpu").fit(vectors, labels)
    assert (ours.predict(vectors) == labels).mean() > 0.99
    assert np.isfinite(ours.coef_).all()


def test_a_constant_dimension_tells_nothing():
    vectors, labels = sample()
    vectors[:, 3] = 7.0
    ours = BatchedLogistic(device="cpu").fit(vectors, labels)
    np.testing.assert_allclose(ours.coef_[:, 3], 0, atol=1e-5)


def test_a_dimension_that_hardly_moves_is_read_as_scikit_learn_reads_it():
    """Trained embedders have dimensions with a spread of 1e-9, and their weights count after standardising."""
    vectors, labels = sample(k=1, noise=6.0)
    vectors[:, 3] = 1e-9 * labels[:, 0]
    ours = BatchedLogistic(C=0.1, tol=1e-5, device="cpu").fit(vectors, labels)
    theirs = reference(vectors, labels[:, 0], 0.1).predict_proba(vectors)[:, 1]
    np.testing.assert_allclose(ours.predict_proba(vectors)[:, 0], theirs, atol=2e-3)


def test_reads_a_word_off_real_vectors_of_the_toy_embedder():
    names = ["river", "stone", "apple", "train", "cloud", "paper", "music", "green", "window", "doctor"]
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(names, 5, replace=False)) for _ in range(600)]
    labels = np.array([[name in text.split() for name in names] for text in texts])
    vectors = load_embedder("toy").embed(texts)
    ours = BatchedLogistic(device="cpu").fit(vectors[:400], labels[:400])
    assert (ours.predict(vectors[400:]) == labels[400:]).mean() > 0.95


def test_is_an_estimator_of_scikit_learn():
    assert clone(BatchedLogistic(C=3.0)).get_params()["C"] == 3.0


def test_bad_input_is_named():
    vectors, labels = sample(n=50)
    with pytest.raises(BadInput, match="probe 2 are all True"):
        BatchedLogistic().fit(vectors, np.where(np.arange(6) == 2, True, labels))
    with pytest.raises(BadInput, match="row 4"):
        BatchedLogistic().fit(np.where(np.arange(50)[:, None] == 4, np.nan, vectors).astype(np.float32), labels)
    with pytest.raises(BadInput, match="above 0"):
        BatchedLogistic(C=0.0).fit(vectors, labels)
    with pytest.raises(BadInput, match=r"\(50, 19\)"):
        BatchedLogistic(device="cpu").fit(vectors, labels).predict(vectors[:, 1:])
