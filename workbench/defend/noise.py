"""Gaussian noise: each vector is moved by a random direction, of a stated share of its length"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.defend._defence import Defence
from workbench.defend._key import Key, row_generators
from workbench.defend._release import release_fact, require_release

__all__ = ["Noise"]


@dataclass(frozen=True)
class Noise(Defence):
    """Adds Gaussian noise whose expected length is `strength` times the vector's own.

    With `release="fresh"` it is drawn at every reading, and many readings average it away. With `"stored"` it follows
    from the key and the vector, as if it had been drawn once and stored: equal vectors get equal noise, for ever.
    """

    strength: float = 0.1
    release: str = "fresh"
    key: Key | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.strength >= 0:
            raise BadInput(f"strength is {self.strength}; expected 0 or more")
        require_release("noise", self.release, self.key)

    @property
    def fresh(self) -> bool:
        """Whether every reading has noise of its own."""
        return self.release == "fresh"

    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Vectors with noise."""
        scale = self.strength * np.linalg.norm(vectors, axis=1, keepdims=True) / np.sqrt(vectors.shape[1])
        if self.key is None:
            drawn = random.standard_normal(vectors.shape)
        else:
            drawn = np.empty(vectors.shape)
            for row, each in enumerate(row_generators(self.key, b"noise", vectors)):
                drawn[row] = each.standard_normal(vectors.shape[1])
        return (vectors + scale * drawn).astype(np.float32)

    def facts(self) -> dict[str, str]:
        """Mechanism, release; no epsilon, for the noise grows with the vector."""
        return {
            "mechanism": f"Gaussian noise, {self.strength:g} times the vector's length on average",
            "release": release_fact(self.release),
            "guarantee": "none",
        }
