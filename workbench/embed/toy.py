"""Exact toy embedder: hashed words with their places, 64 dimensions, no model and no download."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from jaxtyping import Float, Int

from workbench.embed._embedder import Embedder, EmbedderSpec

__all__ = ["Toy"]

_DIM = 64
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Toy(Embedder):
    """Each word is a fixed Gaussian vector; a text is the sum, earlier words weighing a little more, normalised.

    Case-blind, sensitive to word order, equal on every machine. For tests and for teaching.
    """

    def __init__(self, device: str = "cpu") -> None:
        super().__init__()
        self.spec = EmbedderSpec("toy", "2", _DIM, normalised=True, max_tokens=0)

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Number of words and marks, and one for the start."""
        return np.array([1 + len(_TOKEN.findall(text)) for text in texts], dtype=np.int64)

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Normalised weighted sums of word vectors."""
        sums = np.stack([self._sum(_TOKEN.findall(text.casefold())) for text in texts])
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)

    @staticmethod
    def _sum(words: list[str]) -> np.ndarray:
        weights = 1.0 + 0.5 / np.arange(1, len(words) + 1)
        return 0.1 * _vector("") + sum(w * _vector(word) for w, word in zip(weights, words, strict=True))


@lru_cache(maxsize=100_000)
def _vector(word: str) -> np.ndarray:
    seed = int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).standard_normal(_DIM)
