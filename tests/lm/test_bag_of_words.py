"""The bag of words: the closed form is the ridge solution, and finds words that a linear map can find."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from workbench.core.errors import BadInput
from workbench.lm import fit_bag_of_words


def planted(n=4000, d=24, v=40, seed=0):
    """Vectors that are sums of fixed word directions."""
    random = np.random.default_rng(seed)
    directions = random.standard_normal((v, d)) / np.sqrt(d)
    ids = [random.choice(v, size=random.integers(1, 6), replace=False) for _ in range(n)]
    vectors = np.stack([directions[row].sum(0) for row in ids]) + 0.05 * random.standard_normal((n, d))
    return vectors.astype(np.float32), ids


def test_evidence_is_a_rescaled_ridge_regression():
    vectors, ids = planted()
    presence = np.zeros((len(ids), 40))
    for row, words in zip(presence, ids, strict=True):
        row[words] = 1
    covariance = np.cov(vectors.T, bias=True)
    ridge = Ridge(alpha=1e-3 * np.trace(covariance) / len(covariance) * len(ids)).fit(vectors, presence)
    evidence = fit_bag_of_words(vectors, ids, 40).evidence(vectors)
    theirs = ridge.predict(vectors)
    for word in range(40):
        assert np.corrcoef(evidence[:, word], theirs[:, word])[0, 1] == pytest.approx(1.0, abs=1e-4)


def test_it_finds_the_words():
    vectors, ids = planted()
    bag = fit_bag_of_words(vectors[:3000], ids[:3000], 40)
    odds = bag.prior + bag.evidence(vectors[3000:])
    hits = [np.isin(np.argsort(-row)[: len(words)], words).mean() for row, words in zip(odds, ids[3000:], strict=True)]
    assert np.mean(hits) > 0.75
    shuffled = bag.prior + bag.evidence(np.roll(vectors[3000:], 1, axis=0))
    blind = [np.isin(np.argsort(-row)[: len(w)], w).mean() for row, w in zip(shuffled, ids[3000:], strict=True)]
    assert np.mean(blind) < 0.2


def test_odds_are_calibrated():
    vectors, ids = planted(8000)
    bag = fit_bag_of_words(vectors[:6000], ids[:6000], 40)
    odds = (bag.prior + bag.evidence(vectors[6000:])).ravel()
    presence = np.zeros((2000, 40))
    for row, words in zip(presence, ids[6000:], strict=True):
        row[words] = 1
    likely = 1 / (1 + np.exp(-odds))
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.7, 0.9), (0.9, 1.0)):
        inside = (likely >= low) & (likely <= high)
        assert abs(presence.ravel()[inside].mean() - likely[inside].mean()) < 0.15


def test_words_never_seen_get_a_small_prior_and_no_nan():
    vectors, ids = planted(200)
    bag = fit_bag_of_words(vectors, ids, 45)
    assert np.isfinite(bag.weight).all()
    assert (bag.prior[40:] < -5).all()
    assert (bag.lengths(vectors) >= 1).all()


def test_lengths_must_agree():
    with pytest.raises(BadInput, match="vectors has 4 rows but ids has 3 texts"):
        fit_bag_of_words(np.ones((4, 2), np.float32), [[0], [1], [0]], 2)
