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
_CORPUS_BLOCK = 32_768
"""Corpus vectors that are compared at once, so that memory does not grow with the corpus."""


class Nearest(Inverter):
    """Embeds a public corpus once and answers with its text of highest cosine. Invents nothing; also a copy check."""

    name: ClassVar[str] = "nearest"
    needs: ClassVar[Access] = Access.QUERY

    def __init__(self, embedder: Embedder, texts: Sequence[str], vectors: Float[np.ndarray, "m d"]) -> None:
        self.embedder, self.dim = embedder, vectors.shape[1]
        self._texts = texts
        self._vectors, self._norms = vectors, np.sqrt(np.einsum("md,md->m", vectors, vectors))

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
        best = np.full(len(vectors), -np.inf, np.float32)
        found = np.zeros(len(vectors), np.int64)
        for start in range(0, len(self._vectors), _CORPUS_BLOCK):
            some = self._vectors[start : start + _CORPUS_BLOCK]
            some = some / self._norms[start : start + _CORPUS_BLOCK, None]
            for first in range(0, len(vectors), _BLOCK):
                rows = slice(first, first + _BLOCK)
                scores = vectors[rows] @ some.T
                near = scores.argmax(axis=1)
                score = scores[np.arange(len(near)), near]
                closer = score > best[rows]
                found[rows] = np.where(closer, near + start, found[rows])
                best[rows] = np.maximum(score, best[rows])
        return found
