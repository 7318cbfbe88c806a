"""Defences in a scikit-learn Pipeline."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from workbench.core.errors import BadInput
from workbench.defend import open_defence, open_fitter
from workbench.defend._transformer import DefenceTransformer


@pytest.mark.parametrize("line", ["int8", "truncation:0.5", "rotation", "noise:0.1?release=stored", "pca:1"])
def test_it_keeps_the_rules_of_scikit_learn(line):
    found = check_estimator(DefenceTransformer(line), on_skip=None)
    assert sum(each["status"] == "passed" for each in found) > 40


def test_in_a_pipeline():
    random = np.random.default_rng(0)
    classes = random.integers(0, 2, 300)
    vectors = random.standard_normal((300, 12)).astype(np.float32) + 1.5 * classes[:, None]

    def score(defence):
        return cross_val_score(make_pipeline(defence, LogisticRegression()), vectors, classes).mean()

    assert score(DefenceTransformer("rotation")) > 0.95
    assert score(DefenceTransformer("leace")) < 0.65, "what is erased is learnt from the training folds alone"
    frozen = open_fitter("leace").fit(vectors, random, {"y": classes}).as_transformer()
    assert score(frozen) < 0.55
    assert score(open_defence("binary").as_transformer()) > 0.9


def test_pca_is_that_of_scikit_learn():
    vectors = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
    ours = DefenceTransformer("pca:3").fit_transform(vectors)
    np.testing.assert_allclose(ours, PCA(3, svd_solver="full").fit_transform(vectors.astype(np.float64)), atol=1e-5)


def test_fresh_noise_is_no_transformer():
    vectors = np.ones((3, 2), np.float32)
    with pytest.raises(BadInput, match="release=stored"):
        open_defence("noise:0.1").as_transformer()
    with pytest.raises(BadInput, match="release=stored"):
        DefenceTransformer("metric-dp:10").fit(vectors)
    kept = clone(open_defence("noise?release=stored&key=5").as_transformer()).fit(vectors)
    assert (
        kept.transform(vectors) == open_defence("noise?release=stored&key=5").apply(vectors, np.random.default_rng())
    ).all()
