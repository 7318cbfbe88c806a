"""Metric-DP noise: multivariate Laplace, so that near vectors are hard to tell apart; its epsilon is of distance"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.defend._defence import Defence
from workbench.defend._key import Key, row_generators
from workbench.defend._release import release_fact, require_release

__all__ = ["MetricDP"]


@dataclass(frozen=True)
class MetricDP(Defence):
    """Adds noise of density proportional to exp(-epsilon |z|): a uniform direction, a length of Gamma(d, 1/epsilon).

    The d-dimensional Laplace mechanism of metric differential privacy (Chatzikokolakis et al. 2013; Feyisetan et al.
    2020, arXiv:1910.08902, for word vectors; there each noised vector is then replaced by that of a word, here it is
    not). For two vectors at distance s, no output is more than exp(epsilon s) times as likely under one as under the
    other. The noise is d / epsilon long on average: in 384 dimensions epsilon 384 moves a vector by 1.
    """

    epsilon: float = 300.0
    release: str = "fresh"
    key: Key | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < np.inf:
            raise BadInput(f"epsilon is {self.epsilon}; expected a number above 0")
        require_release("metric-dp", self.release, self.key)

    @property
    def fresh(self) -> bool:
        """Whether every reading has noise of its own."""
        return self.release == "fresh"

    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Vectors with noise; lengths are not restored."""
        if self.key is None:
            return (vectors + self._noise(random, *vectors.shape)).astype(np.float32)
        found = np.empty(vectors.shape, np.float32)
        for row, each in enumerate(row_generators(self.key, b"metric-dp", vectors)):
            found[row] = vectors[row] + self._noise(each, 1, vectors.shape[1])[0]
        return found

    def facts(self) -> dict[str, str]:
        """Mechanism, epsilon, its unit, sensitivity, and what it is not."""
        stored = self.release == "stored"
        return {
            "mechanism": "multivariate Laplace noise, density proportional to exp(-epsilon |z|)",
            "epsilon": f"{self.epsilon:g} a release",
            "unit": "per unit of Euclidean distance between two vectors",
            "sensitivity": "none is assumed: vectors at distance s are told apart by at most exp(epsilon s), so unit "
            f"vectors, at most 2 apart, by exp({2 * self.epsilon:g})",
            "release": release_fact(self.release),
            "guarantee": "metric privacy of one vector, "
            + ("against those without the key" if stored else "m releases have m times the epsilon")
            + "; not record-level differential privacy",
        }

    def _noise(self, random: np.random.Generator, n: int, d: int) -> Float[np.ndarray, "n d"]:
        way = random.standard_normal((n, d))
        far = random.gamma(d, 1 / self.epsilon, (n, 1))
        return far * way / np.linalg.norm(way, axis=1, keepdims=True)
