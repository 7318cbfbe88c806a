"""Word shifts foretell the vector of a text."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.lm import fit_word_shifts
from workbench.lm.word_shifts import POWER


def test_a_linear_world_is_learnt_exactly():
    random = np.random.default_rng(0)
    truth = random.standard_normal((20, 16)).astype(np.float32)
    ids = [random.integers(0, 20, size=random.integers(2, 9)).tolist() for _ in range(800)]
    raw = np.stack([truth[row].sum(0) / len(row) ** POWER for row in ids])
    raw -= raw.mean(0)
    vectors = raw / np.linalg.norm(raw, axis=1).mean()
    found = fit_word_shifts(vectors.astype(np.float32), ids, 20, ridge=1e-4).foretell(ids)
    cosines = (found * vectors).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(vectors, axis=1)
    assert cosines.mean() > 0.97


def test_texts_of_the_toy_embedder_are_foretold(toy):
    words = ["the", "cat", "sat", "on", "a", "mat", "where", "is", "my", "money", "bank", "account", "closed"]
    random = np.random.default_rng(1)
    ids = [random.integers(0, len(words), size=random.integers(3, 8)).tolist() for _ in range(1500)]
    texts = [" ".join(words[i] for i in row) for row in ids]
    shifts = fit_word_shifts(toy.embed(texts[:1200]), ids[:1200], len(words))
    found, truth = shifts.foretell(ids[1200:]), toy.embed(texts[1200:])
    cosines = (found * truth).sum(1) / np.linalg.norm(found, axis=1)
    assert cosines.mean() > 0.95


def test_vectors_and_ids_must_agree():
    with pytest.raises(BadInput, match="vectors has 2 rows but ids has 1 texts"):
        fit_word_shifts(np.ones((2, 3), np.float32), [[1]], 5)
