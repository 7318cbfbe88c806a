"""Probes and baselines as scikit-learn estimators; the penalty is tuned on the validation split."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""C of logistic regression on standardised vectors: embeddings of a few hundred dimensions need strong penalties."""


def linear_probe(validation: Bool[np.ndarray, " n"], seed: int = 0) -> Any:
    """Standardise, then logistic regression; C by log-loss on the rows of `validation`, then refitted on all rows.

    A `GridSearchCV`, so `fit`, `predict` and `predict_proba` are scikit-learn's own.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, random_state=seed))
    return _tuned(pipeline, {"logisticregression__C": PENALTIES}, validation, "neg_log_loss")


def ridge_probe(validation: Bool[np.ndarray, " n"]) -> Any:
    """Standardise, then ridge regression for graded labels; the penalty by squared error on the validation rows."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    penalties = [10.0**power for power in range(0, 6)]
    return _tuned(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": penalties}, validation, None)


def mlp_probe(seed: int = 0) -> Any:
    """Standardise, then one hidden layer of 100, stopped early on a tenth of the rows: what a linear probe misses."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    network = MLPClassifier((100,), alpha=1e-2, early_stopping=True, max_iter=100, random_state=seed)
    return make_pipeline(StandardScaler(), network)


def text_probe(validation: Bool[np.ndarray, " n"], graded: bool = False) -> Any:
    """The TF-IDF baseline: words and pairs of words of the texts themselves, tuned and refitted like the probe."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_features=20_000)
    if graded:
        return _tuned(make_pipeline(words, Ridge()), {"ridge__alpha": (0.1, 1.0, 10.0)}, validation, None)
    pipeline = make_pipeline(words, LogisticRegression(max_iter=200))
    return _tuned(pipeline, {"logisticregression__C": (1.0, 10.0, 100.0)}, validation, "neg_log_loss")


def _tuned(pipeline: Any, grid: dict[str, Any], validation: np.ndarray, scoring: str | None) -> Any:
    from sklearn.model_selection import GridSearchCV, PredefinedSplit

    return GridSearchCV(pipeline, grid, cv=PredefinedSplit(np.where(validation, 0, -1)), scoring=scoring)
