"""Probes and baselines as scikit-learn estimators; the penalty is tuned on the validation split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool

from workbench.core.errors import BadInput

Scorer = Callable[[Any, Any, np.ndarray], float]

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""C of logistic regression on standardised vectors: embeddings of a few hundred dimensions need strong penalties."""


def linear_probe(validation: Bool[np.ndarray, " n"], seed: int = 0) -> Any:
    """Standardise, then logistic regression; C by log-loss on the rows of `validation`, then refitted on all rows.

    A `GridSearchCV`, so `fit`, `predict` and `predict_proba` are scikit-learn's own. Validation rows of a class that no
    other row has say nothing of C and do not count; `fit` raises BadInput where there are no others.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, random_state=seed))
    return _tuned(pipeline, {"logisticregression__C": PENALTIES}, validation, less_log_loss)


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
    return _tuned(pipeline, {"logisticregression__C": (1.0, 10.0, 100.0)}, validation, less_log_loss)


def less_log_loss(model: Any, table: Any, labels: np.ndarray) -> float:
    """Minus the log-loss over the rows whose class the model knows.

    scikit-learn's own raises where rows lack one of the classes, its search takes that for a missing score, and the
    first penalty of the grid would win unseen.
    """
    from sklearn.metrics import log_loss

    known = np.isin(labels, model.classes_)
    if not known.any():
        raise BadInput(f"no validation row has one of the {len(model.classes_)} classes that are learnt from")
    rows = np.flatnonzero(known)
    return -float(log_loss(labels[rows], model.predict_proba(table)[rows], labels=model.classes_))


def _tuned(pipeline: Any, grid: dict[str, Any], validation: np.ndarray, scoring: Scorer | None) -> Any:
    from sklearn.model_selection import GridSearchCV, PredefinedSplit

    split = PredefinedSplit(np.where(validation, 0, -1))
    loud: Any = "raise"  # which scikit-learn's stubs do not know
    return GridSearchCV(pipeline, grid, cv=split, scoring=scoring, error_score=loud)
