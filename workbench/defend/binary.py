"""Quantisation to one bit: the sign of each dimension, and nothing else"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.defend._defence import Defence

__all__ = ["Binary"]


@dataclass(frozen=True)
class Binary(Defence):
    """Signs, brought to unit length."""

    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Vectors of plus and minus one over the square root of d."""
        return np.where(vectors >= 0, 1, -1).astype(np.float32) / np.float32(np.sqrt(vectors.shape[1]))

    def facts(self) -> dict[str, str]:
        """Mechanism."""
        return {"mechanism": "the sign of each dimension, at unit length", "guarantee": "none"}
