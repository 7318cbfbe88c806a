"""Controls are at chance and labels that vectors do not tell cannot be compressed; both find what is there."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.probe._control import control_accuracy, control_labels
from workbench.probe._online import online_codelength


def told(n: int, k: int, seed: int = 0, dim: int = 20, strength: float = 2.0):
    """Vectors that tell their class, and the classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    centres = strength * rng.standard_normal((k, dim)) / np.sqrt(dim) * 2
    return (centres[labels] + rng.standard_normal((n, dim))).astype(np.float32), labels


def code(vectors, labels, k, seed=0):
    cut = len(labels) - 200
    held = vectors[cut:], labels[cut:]
    return online_codelength(vectors[:cut], labels[:cut], k, held, vectors[cut:], seed)


@pytest.mark.parametrize("k", [2, 3, 7])
def test_a_control_is_one_label_a_group_and_evenly_spread(k):
    groups = [f"g{number // 3}" for number in range(3000)]
    labels = control_labels(groups, k, 8)
    assert (labels.reshape(1000, 3, 8) == labels.reshape(1000, 3, 8)[:, :1]).all()
    shares = np.bincount(labels.ravel(), minlength=k) / labels.size
    assert len(shares) == k and np.abs(shares - 1 / k).max() < 0.03
    assert (labels == control_labels(groups, k, 8)).all()
    assert (labels != control_labels(groups, k, 8, seed=1)).any()


@pytest.mark.parametrize("k", [2, 5])
def test_controls_are_at_chance_on_groups_never_seen(k):
    vectors, _ = told(1200, k)
    names = [f"g{number}" for number in range(1200)]
    found = control_accuracy(vectors[:800], vectors[800:], names[:800], names[800:], k, 0.1)
    assert found.mean() == pytest.approx(1 / k, abs=0.03)


def test_controls_are_learnt_where_groups_return():
    vectors, _ = told(600, 2, dim=200)
    names = [f"g{number}" for number in range(600)]
    assert control_accuracy(vectors, vectors, names, names, 2, 1.0).mean() > 0.7


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_permuted_labels_do_not_compress(k, seed):
    vectors, labels = told(1000, k, seed)
    permuted = np.random.default_rng(seed).permutation(labels)
    found = code(vectors, permuted, k, seed)
    assert found.against_uniform <= 1.0 and found.against_entropy <= 1.0
    assert found.bits < found.uniform_bits * 1.05  # and cost hardly more than by counting


@pytest.mark.parametrize("k", [2, 4])
def test_labels_that_vectors_tell_compress(k):
    vectors, labels = told(1000, k)
    found = code(vectors, labels, k)
    assert found.against_uniform > 1.5
    accuracies = [(chances.argmax(1) == labels[-200:]).mean() for _, chances in found.curve]
    assert accuracies[-1] > 0.85 and accuracies[-1] > accuracies[0]
    assert [seen for seen, _ in found.curve] == sorted({seen for seen, _ in found.curve})


def test_a_rare_class_compresses_against_uniform_alone():
    rng = np.random.default_rng(0)
    labels = (rng.random(1000) < 0.05).astype(np.int64)
    vectors = rng.standard_normal((1000, 10)).astype(np.float32)
    found = code(vectors, labels, 2)
    assert found.against_uniform > 2 and found.against_entropy <= 1.0


def test_a_class_that_comes_late_costs_finitely_many_bits():
    vectors, labels = told(300, 2)
    third = np.where(np.arange(300) == 5, 2, labels)
    assert np.isfinite(code(vectors, third, 3).bits)


def test_lengths_that_differ():
    vectors, labels = told(300, 2)
    with pytest.raises(BadInput, match="labels"):
        online_codelength(vectors[:1], labels[:1], 2, (vectors, labels), vectors)
