"""Side information: what the other label columns say of an attribute, without any vector or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from workbench.core.labels import is_missing, items
from workbench.probe._estimators import _tuned, less_log_loss, linear_probe

_NUMBERS = 20
"""Numbers with more values than this are taken as numbers, others as classes."""


def side_table(
    columns: Mapping[str, Shaped[np.ndarray, " n"]], learnt: Int[np.ndarray, " m"]
) -> Float[np.ndarray, "n s"]:
    """Columns as numbers: classes one-hot (those that no learnt row has are all 0), numbers as they are, with whether
    one is missing. Columns of words that hardly repeat name rows, not attributes, and are left out."""
    parts = [part for column in columns.values() for part in _encoded(np.asarray(column), learnt)]
    n = len(next(iter(columns.values())))
    return np.concatenate(parts, axis=1) if parts else np.zeros((n, 0))


def side_model(validation: Bool[np.ndarray, " m"], table: np.ndarray, labels: np.ndarray, seed: int = 0) -> Any:
    """The better, by log-loss on the validation rows, of a logistic regression and boosted trees; fitted on all rows.

    Weak side information would make leaks of what is imputation, so interactions of columns count too.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.1, random_state=seed)
    rivals = [
        linear_probe(validation, seed),
        _tuned(trees, {"max_depth": (2, 4)}, validation, less_log_loss),
    ]
    fitted = [rival.fit(table, labels) for rival in rivals]
    return max(fitted, key=lambda model: model.best_score_)


def _encoded(column: np.ndarray, learnt: np.ndarray) -> Sequence[np.ndarray]:
    values = [None if is_missing(value) else value for value in items(column)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) >= len(values) - sum(value is None for value in values) and len({*numbers}) > _NUMBERS:
        table = np.array([np.nan if value is None else float(value) for value in values])
        missing = ~np.isfinite(table)
        known = table[learnt][~missing[learnt]]
        return [np.where(missing, known.mean() if len(known) else 0.0, table)[:, None], missing[:, None].astype(float)]
    words = np.array([str(value) for value in values])
    kinds, counts = np.unique(words[learnt], return_counts=True)
    if len(kinds) > len(learnt) // 2:
        return []
    return [(words[:, None] == kinds[counts > 1]).astype(float)]
