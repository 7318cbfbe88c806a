"""Defences as scikit-learn transformers, for a Pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from workbench.core.errors import BadInput
from workbench.defend import open_fitter
from workbench.defend._defence import Defence, Fitter
from workbench.defend._line import Ready


class DefenceTransformer(TransformerMixin, BaseEstimator):
    """A defence, a fitter, or a line that names one; `fit` learns what has to be learnt, `transform` applies it.

    `y` of `fit` becomes the label `y`, which `leace` erases. Keys that the line does not state are drawn by `seed`.
    """

    def __init__(self, defence: Any = "int8", seed: Any = 0) -> None:  # scikit-learn judges settings in `fit`
        self.defence = defence
        self.seed = seed

    def require_repeatable(self) -> DefenceTransformer:
        """Itself; raises BadInput where the same vectors would come out otherwise the next time."""
        _require_repeatable(self.defence)
        return self

    def fit(self, X: Any, y: Any = None) -> DefenceTransformer:  # noqa: N803 - scikit-learn's name
        """Learn from vectors X (n, d) and perhaps the classes y (n,)."""
        vectors = np.asarray(validate_data(self, X, dtype=np.float32))
        fitter = self._fitter()
        labels = None if y is None else {"y": np.asarray(y)}
        found = fitter.fit(vectors, np.random.default_rng(self.seed), labels)
        _require_repeatable(found)
        self.defence_ = found
        return self

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """The defended vectors, float32."""
        check_is_fitted(self)
        vectors = np.asarray(validate_data(self, X, dtype=np.float32, reset=False))
        return self.defence_.apply(vectors, np.random.default_rng(self.seed))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _fitter(self) -> Fitter:
        if isinstance(self.defence, str):
            return open_fitter(self.defence)
        if isinstance(self.defence, Defence):
            return Ready(self.defence)
        if not isinstance(self.defence, Fitter):
            raise BadInput(f"defence is {self.defence!r}; expected a line such as noise:0.1, a Fitter or a Defence")
        return self.defence


def _require_repeatable(defence: Any) -> None:
    if isinstance(defence, Defence) and defence.fresh:
        raise BadInput("fresh noise differs at every reading, and a transformer must not; expected release=stored")
