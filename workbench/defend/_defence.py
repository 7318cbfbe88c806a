"""Defence: a transform of stored vectors that is meant to make them tell less."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float


class Defence(ABC):
    """A function of vectors (and of chance, where it is random). Frozen once made."""

    @abstractmethod
    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """The vectors as a reader of the store gets them, float32; deterministic defences leave `random` alone."""
