"""Truncation: the first dimensions alone, as for Matryoshka embeddings"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.vectors import unit
from workbench.defend._defence import Map
from workbench.defend._kept import kept_dimensions, require_keep

__all__ = ["Truncation"]


@dataclass(frozen=True)
class Truncation(Map):
    """The first `keep` dimensions (below 1: that share of them), brought back to unit length with `renormalise`."""

    keep: float = 0.25
    renormalise: bool = True

    def __post_init__(self) -> None:
        require_keep(self.keep)

    def map(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Vectors of fewer dimensions. Raises BadInput where there are not as many."""
        cut = vectors[:, : kept_dimensions(self.keep, vectors.shape[1])].astype(np.float32)
        return unit(cut) if self.renormalise else cut

    def facts(self) -> dict[str, str]:
        """Mechanism."""
        share = f"{self.keep:g} of the dimensions" if self.keep < 1 else f"{self.keep:g} dimensions"
        after = ", renormalised" if self.renormalise else ""
        return {"mechanism": f"the first {share}{after}", "guarantee": "none"}
