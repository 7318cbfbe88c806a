"""Random encoders: the same sizes with nothing learnt, the floor of every probe."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.embed._embedder import Embedder, EmbedderSpec
from workbench.embed._grad_embedder import GradEmbedder

_WORD = re.compile(r"\w+|[^\w\s]")


def random_encoder(embedder: Embedder, seed: int = 0) -> Embedder:
    """An untrained twin: the same model with shuffled weights where it is open, else means of random word vectors."""
    return randomised(embedder, seed) if isinstance(embedder, GradEmbedder) else RandomWords(embedder.spec.dim, seed)


def randomised(embedder: GradEmbedder, seed: int = 0) -> GradEmbedder:
    """A copy whose weights are shuffled within each tensor (Adebayo et al. 2018): same sizes, nothing learnt."""
    other = copy.deepcopy(embedder)
    other.forget()
    other.spec = replace(embedder.spec, revision=f"{embedder.spec.revision}, shuffled {seed}")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in vars(other).values():
            for tensor in _tensors(part):
                order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
                tensor.copy_(tensor.flatten()[order].view_as(tensor))
    return other


def _tensors(part: Any) -> list[torch.Tensor]:
    if isinstance(part, torch.nn.Module):
        return list(part.parameters())
    return [part] if torch.is_tensor(part) else []


class RandomWords(Embedder):
    """The mean of one random normal vector a word, drawn from the word's hash (after Wieting & Kiela 2019)."""

    def __init__(self, dim: int, seed: int = 0) -> None:
        super().__init__()
        self.spec = EmbedderSpec("random-words", f"seed {seed}", dim, True, 0)
        self._seed = seed
        self._table: dict[str, np.ndarray] = {}

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Words and marks."""
        return np.array([max(1, len(_WORD.findall(text))) for text in texts], dtype=np.int64)

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Unit vectors; a text without words has that of the empty word."""
        sums = np.stack([np.sum([self._word(word) for word in _WORD.findall(text) or [""]], axis=0) for text in texts])
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)

    def _word(self, word: str) -> np.ndarray:
        if word not in self._table:
            digest = hashlib.blake2b(f"{self._seed}:{word}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
            rng = np.random.default_rng(int.from_bytes(digest, "big"))
            self._table[word] = rng.standard_normal(self.spec.dim)
        return self._table[word]
