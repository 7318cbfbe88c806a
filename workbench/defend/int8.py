"""Quantisation to 8 bits: each vector is scaled to -127 .. 127 and rounded, as vector stores do"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.defend._defence import Defence

__all__ = ["Int8"]


@dataclass(frozen=True)
class Int8(Defence):
    """Symmetric, one scale a vector."""

    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Vectors as they come back from the store."""
        vectors = vectors.astype(np.float32, copy=False)  # of int8, -128 has no absolute value
        scale = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12) / 127
        return (np.rint(vectors / scale) * scale).astype(np.float32)

    def facts(self) -> dict[str, str]:
        """Mechanism."""
        return {"mechanism": "255 steps a dimension, one scale a vector", "guarantee": "none"}
