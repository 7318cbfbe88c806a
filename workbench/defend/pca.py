"""Principal components: the directions of the most variance alone, about the mean"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.core.vectors import require_finite
from workbench.defend._defence import Fitter, Map
from workbench.defend._kept import kept_dimensions, require_keep

__all__ = ["PCA"]


@dataclass(frozen=True)
class PCA(Fitter):
    """Learns the first `keep` principal axes (below 1: that share of the dimensions)."""

    keep: float = 0.25

    def __post_init__(self) -> None:
        require_keep(self.keep)

    def fit(
        self,
        vectors: Float[np.ndarray, "n d"],
        random: np.random.Generator,
        labels: Mapping[str, Any] | None = None,
    ) -> Components:
        """Raises BadInput for fewer vectors than axes."""
        from sklearn.decomposition import PCA as SklearnPCA  # noqa: N811 - the class has our name

        require_finite(vectors)
        k = kept_dimensions(self.keep, vectors.shape[1])
        if len(vectors) < k:
            raise BadInput(f"{len(vectors)} vectors do not tell {k} principal axes; expected at least {k}")
        found = SklearnPCA(k, svd_solver="full").fit(vectors.astype(np.float64))
        return Components(found.mean_, np.asarray(found.components_).T)


@dataclass(frozen=True, eq=False)
class Components(Map):
    """Centred vectors in their principal axes; lengths are what is left of them."""

    mean: Float[np.ndarray, " d"]
    axes: Float[np.ndarray, "d k"]

    def map(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Vectors of fewer dimensions. Raises BadInput for another dimension than in `fit`."""
        if vectors.shape[1] != len(self.mean):
            raise BadInput(f"vectors has shape {vectors.shape}; expected (n, {len(self.mean)}) as in fit")
        return ((vectors - self.mean) @ self.axes).astype(np.float32)

    def facts(self) -> dict[str, str]:
        """Mechanism."""
        d, k = self.axes.shape
        return {"mechanism": f"{k} principal components of {d} dimensions, about the mean", "guarantee": "none"}
