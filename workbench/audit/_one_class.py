"""Odds that a set of vectors is an embedder's own, from how far its statistics lie from those of own sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

_TAIL = 4.0
"""Squared deviations are damped as by Student's t: a domain that no reference holds may lie far out in one of them."""
_LEAST = 0.02
"""Least weight of every statistic, either side: what no impostor of the calibration did must count as well."""
_PENALTY = 0.02
_STRANGE = 0.7
"""Prior share of sets that no suspect made."""


@dataclass(frozen=True)
class Usual:
    """Mean and deviation of each statistic over an embedder's own sets."""

    mean: Float[np.ndarray, " f"]
    deviation: Float[np.ndarray, " f"]

    @classmethod
    def of(cls, own: Float[np.ndarray, "c f"]) -> Usual:
        """Of c sets."""
        return cls(own.mean(0), own.std(0) + 1e-3)

    def standardised(self, features: Float[np.ndarray, "*c f"]) -> Float[np.ndarray, "*c f"]:
        """In deviations from the mean."""
        return (features - self.mean) / self.deviation


@dataclass(frozen=True)
class Odds:
    """Log-odds that a set is an embedder's own: a start less weighted deviations, whose weights are never negative."""

    start: float
    weights: Float[np.ndarray, " f2"]

    @classmethod
    def fit(cls, standardised: Float[np.ndarray, "c f"], own: Bool[np.ndarray, " c"]) -> Odds:
        """By logistic regression under that bound; the prior share of others is above a half."""
        from scipy.optimize import minimize

        table = _deviations(standardised)
        sign = np.where(own, 1.0, -1.0)
        weigh = np.where(own, (1 - _STRANGE) / max(1, own.sum()), _STRANGE / max(1, (~own).sum()))

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            margin = sign * (values[0] - table @ values[1:])
            slope = -weigh * sign / (1 + np.exp(np.clip(margin, -500, 500)))
            gradient = np.concatenate([[slope.sum()], -table.T @ slope + _PENALTY * values[1:]])
            return float(weigh @ np.logaddexp(0, -margin) + 0.5 * _PENALTY * values[1:] @ values[1:]), gradient

        begin = np.concatenate([[1.0], np.full(table.shape[1], 0.1)])
        bounds = [(None, None), *[(_LEAST, None)] * table.shape[1]]
        found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds).x
        return cls(float(found[0]), found[1:])

    def of(self, standardised: Float[np.ndarray, "c f"]) -> Float[np.ndarray, " c"]:
        """Log-odds of c sets."""
        return self.start - _deviations(standardised) @ self.weights

    def shares(self, standardised: Float[np.ndarray, " f"]) -> Float[np.ndarray, " f"]:
        """How much each statistic speaks against the embedder."""
        return (_deviations(standardised[None])[0] * self.weights).reshape(2, -1).sum(0)


def _deviations(standardised: np.ndarray) -> np.ndarray:
    """Damped squares, below and above apart."""
    below, above = np.minimum(standardised, 0), np.maximum(standardised, 0)
    return np.log1p(np.square(np.concatenate([below, above], axis=1)) / _TAIL)
