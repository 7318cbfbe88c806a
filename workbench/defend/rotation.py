"""A secret rotation: all cosines stay, and only the holder of the key knows the axes"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from workbench.defend._defence import Map
from workbench.defend._key import Key, NeedsKey, generator, require_key

__all__ = ["Rotation"]


@dataclass(frozen=True)
class Rotation(Map):
    """Turns all vectors by one orthogonal matrix, drawn uniformly (Haar; Mezzadri 2007) by the key.

    It keeps lengths, cosines, neighbours and clusters, hence all that is read off them; and with known pairs the matrix
    is found again (Procrustes).
    """

    key: Key | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.key is None:
            raise NeedsKey("rotation")
        require_key(self.key)

    def map(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Turned vectors."""
        return (vectors @ self.matrix(vectors.shape[1])).astype(np.float32)

    def undo(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The holder of the key turns them back."""
        return (vectors @ self.matrix(vectors.shape[1]).T).astype(np.float32)

    def matrix(self, d: int) -> Float[np.ndarray, "d d"]:
        """The secret: vectors are multiplied by it from the right."""
        assert self.key is not None
        return _orthogonal(self.key, d)

    def facts(self) -> dict[str, str]:
        """Mechanism, key."""
        return {
            "mechanism": "an orthogonal matrix drawn by a key; distances and cosines stay",
            "key": "secret",
            "guarantee": "none",
        }


@lru_cache(maxsize=4)
def _orthogonal(key: Key, d: int) -> Float[np.ndarray, "d d"]:
    """Written here rather than taken from a library: a key must open the store after every update."""
    q, r = np.linalg.qr(generator(key, b"rotation").standard_normal((d, d)))
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # without it the draw is not uniform, and depends on LAPACK
    q.flags.writeable = False
    return q
