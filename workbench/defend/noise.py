"""Gaussian noise: each vector is moved by a random direction, of a stated share of its length"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.defend._defence import Defence

__all__ = ["Noise"]


class Noise(Defence):
    """Adds Gaussian noise whose expected length is `strength` times the vector's own; fresh at every reading."""

    def __init__(self, strength: float = 0.1) -> None:
        if not strength >= 0:
            raise BadInput(f"strength is {strength}; expected 0 or more")
        self.strength = strength

    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Vectors with noise."""
        scale = self.strength * np.linalg.norm(vectors, axis=1, keepdims=True) / np.sqrt(vectors.shape[1])
        return (vectors + scale * random.standard_normal(vectors.shape)).astype(np.float32)
