"""The nearest text of the attacker's own corpus: the floor that any inverter must beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from workbench.core.access import Access
from workbench.data import corpora
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.invert._inverter import Attacker, Inverter

__all__ = ["Nearest"]

_BLOCK = 1024


class Nearest(Inverter):
    """Embeds a public corpus once and answers with its text of highest cosine. Invents nothing; also a copy check."""

    name: ClassVar[str] = "nearest"
    needs: ClassVar[Access] = Access.QUERY

    def __init__(self, embedder: Embedder, texts: Sequence[str], vectors: Float[np.ndarray, "m d"]) -> None:
        self.embedder, self.dim = embedder, vectors.shape[1]
        self._texts = texts
        self._unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    @classmethod
    def open(cls, attacker: Attacker) -> Nearest:
        """Embed the attacker's corpus, or take its vectors from the cache on disk."""
        texts = corpora.load(attacker.corpus, "train", attacker.corpus_texts).texts
        return cls(attacker.embedder, texts, cached_vectors(attacker.embedder, texts, what="embed the public corpus"))

    def guess(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """The corpus text of highest cosine for each vector."""
        return [str(self._texts[i]) for i in self.find(vectors)]

    def find(self, vectors: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
        """Place of the nearest corpus text of each vector."""
        blocks = [vectors[i : i + _BLOCK] @ self._unit.T for i in range(0, len(vectors), _BLOCK)]
        return np.concatenate([block.argmax(axis=1) for block in blocks])
