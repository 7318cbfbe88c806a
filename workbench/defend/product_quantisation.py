"""Product quantisation: each few dimensions become one byte, the number of the nearest of 256 learnt points"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.core.vectors import require_finite
from workbench.defend._defence import Defence, Fitter

__all__ = ["ProductQuantisation"]


@dataclass(frozen=True)
class ProductQuantisation(Fitter):
    """Learns a code book for each `width` dimensions by k-means (Jegou et al. 2011), of at most `points` points."""

    width: int = 8
    points: int = 256

    def __post_init__(self) -> None:
        if self.width < 1 or self.points < 2:
            raise BadInput(f"width is {self.width} and points {self.points}; expected at least 1 and 2")

    def fit(
        self,
        vectors: Float[np.ndarray, "n d"],
        random: np.random.Generator,
        labels: Mapping[str, Any] | None = None,
    ) -> CodeBooks:
        """Raises BadInput for fewer vectors than points, which would all be kept as they are."""
        from sklearn.cluster import MiniBatchKMeans

        require_finite(vectors)
        if len(vectors) < self.points:
            raise BadInput(f"{len(vectors)} vectors for {self.points} points; expected more vectors, or fewer ?points=")
        books = []
        for start in range(0, vectors.shape[1], self.width):
            part = np.unique(vectors[:, start : start + self.width].astype(np.float32), axis=0)
            if len(part) > self.points:
                seed = int(random.integers(2**31))
                means = MiniBatchKMeans(self.points, batch_size=4096, n_init="auto", max_iter=20, random_state=seed)
                part = means.fit(vectors[:, start : start + self.width].astype(np.float32)).cluster_centers_
            books.append(part)
        return CodeBooks(tuple(books))


@dataclass(frozen=True, eq=False)
class CodeBooks(Defence):
    """Vectors put together from the nearest points. Queries stay as they are (asymmetric distance)."""

    books: tuple[Float[np.ndarray, "_ _"], ...]

    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Vectors as they come back from their codes. Raises BadInput for another dimension than in `fit`."""
        d = sum(book.shape[1] for book in self.books)
        if vectors.shape[1] != d:
            raise BadInput(f"vectors has shape {vectors.shape}; expected (n, {d}) as in fit")
        if not len(vectors):
            return vectors.astype(np.float32)
        return np.concatenate(list(self._parts(vectors)), axis=1)

    def facts(self) -> dict[str, str]:
        """Mechanism."""
        most = max(len(book) for book in self.books)
        return {
            "mechanism": f"{len(self.books)} codes a vector, each of up to {most} points found by k-means",
            "guarantee": "none",
        }

    def _parts(self, vectors: Float[np.ndarray, "n d"]) -> Iterator[Float[np.ndarray, "n _"]]:
        from sklearn.metrics import pairwise_distances_argmin

        start = 0
        for book in self.books:
            part = np.ascontiguousarray(vectors[:, start : start + book.shape[1]], dtype=np.float32)
            yield book[pairwise_distances_argmin(part, book)]
            start += book.shape[1]
