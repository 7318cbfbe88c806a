"""A keyed permutation of the dimensions, with keyed signs: all cosines stay, and no number changes but its sign"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.defend._defence import Map
from workbench.defend._key import Key, NeedsKey, generator, require_key

__all__ = ["Permutation"]


class _Drawn(NamedTuple):
    order: Int[np.ndarray, " d"]
    signs: Float[np.ndarray, " d"]


@dataclass(frozen=True)
class Permutation(Map):
    """Puts dimensions in another order and flips the signs of about half of them, by the key.

    Cheaper than a rotation and exact, so it can be undone to the bit; and weaker: the spread of a dimension goes with
    it, so a reader who knows the spreads of the embedder's dimensions can put them in order again.
    """

    key: Key | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.key is None:
            raise NeedsKey("permutation")
        require_key(self.key)

    def map(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The numbers in their new places."""
        order, signs = self._drawn(vectors.shape[1])
        return vectors[:, order].astype(np.float32) * signs

    def undo(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The holder of the key puts them back, to the bit."""
        order, signs = self._drawn(vectors.shape[1])
        back = np.empty(vectors.shape, np.float32)
        back[:, order] = vectors * signs
        return back

    def facts(self) -> dict[str, str]:
        """Mechanism, key."""
        return {
            "mechanism": "dimensions in another order and with other signs, by a key; distances and cosines stay",
            "key": "secret",
            "guarantee": "none",
        }

    def _drawn(self, d: int) -> _Drawn:
        assert self.key is not None
        random = generator(self.key, b"permutation")
        return _Drawn(random.permutation(d), random.choice(np.array([-1, 1], np.float32), d))
