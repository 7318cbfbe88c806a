"""The parts of a conditioned decoder: BERT layers run causally, with norms that listen to a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class FilmNorm(nn.Module):
    """Layer norm whose scale and shift also depend on the vector (FiLM, Perez et al. 2018); at first they do not."""

    def __init__(self, hidden: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden, eps=1e-12)
        self.film = nn.Linear(dim, 2 * hidden)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def modulation(self, condition: Float[Tensor, "n d"]) -> Float[Tensor, "n 1 two_h"]:
        """What the vector says to this layer; one row a text, so it is computed once."""
        return self.film(condition).unsqueeze(1)

    def forward(self, x: Float[Tensor, "n t h"], modulation: Float[Tensor, "n 1 two_h"]) -> Float[Tensor, "n t h"]:
        """Normalise, then scale and shift."""
        scale, shift = modulation.chunk(2, dim=-1)
        return self.norm(x) * (1 + scale) + shift


class Past(ABC):
    """What a decoder remembers of the pieces so far, one row a beam."""

    @abstractmethod
    def reorder(self, rows: Int[Tensor, " m"]) -> None:
        """Keep the given rows, in the given order."""


class KeyValues(Past):
    """Keys and values of one layer for the positions so far, in memory that is taken once."""

    def __init__(self, rows: int, heads: int, positions: int, width: int, like: Tensor) -> None:
        self._kv = like.new_empty(2, rows, heads, positions, width)
        self._used = 0

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store the new positions, give all."""
        end = self._used + k.shape[2]
        self._kv[0, :, :, self._used : end] = k
        self._kv[1, :, :, self._used : end] = v
        self._used = end
        return self._kv[0, :, :, :end], self._kv[1, :, :, :end]

    def reorder(self, rows: Int[Tensor, " m"]) -> None:
        """Keep the given rows, in the given order."""
        kept = self._kv.new_empty(2, len(rows), *self._kv.shape[2:])
        kept[:, :, :, : self._used] = self._kv[:, rows, :, : self._used]
        self._kv = kept


class ModelCache(Past):
    """transformers' own cache; with a `prompt` (each layer's keys and values, one row), that stands before all rows."""

    def __init__(self, prompt: Sequence[tuple[Tensor, Tensor]] = (), rows: int = 1) -> None:
        from transformers import DynamicCache

        self.cache: Any = DynamicCache()
        for number, (keys, values) in enumerate(prompt):
            self.cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), number)

    def reorder(self, rows: Int[Tensor, " m"]) -> None:
        """Keep the given rows, in the given order."""
        self.cache.reorder_cache(rows)


class Block(nn.Module):
    """One BERT layer; with a `rank`, each of its products has a low-rank addition (LoRA, Hu et al. 2022) where it is
    asked for, which adds nothing at first."""

    dropout: float = 0.0
    """Share of what attention and the feed-forward network add that is left out in training; a trainer sets it."""

    def __init__(self, hidden: int, inner: int, heads: int, dim: int, rank: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm_attention = FilmNorm(hidden, dim)
        self.up = nn.Linear(hidden, inner)
        self.down = nn.Linear(inner, hidden)
        self.norm_output = FilmNorm(hidden, dim)
        if rank:
            layers = {"qkv": self.qkv, "out": self.out, "up": self.up, "down": self.down}
            self.additions = nn.ModuleDict({name: _low_rank(layer, rank) for name, layer in layers.items()})

    def forward(
        self,
        x: Float[Tensor, "n t h"],
        film: tuple[Tensor, Tensor],
        past: KeyValues | None = None,
        mask: Bool[Tensor, "n 1 t_or_1 s"] | None = None,
        added: bool = False,
    ) -> Float[Tensor, "n t h"]:
        """All positions, causally or as `mask` allows; with `past`, new positions after those that it holds; with the
        low-rank additions where `added`."""

        def product(name: str, x: Tensor) -> Tensor:
            found = getattr(self, name)(x)
            return found + self.additions[name](x) if added else found

        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in product("qkv", x).chunk(3, dim=-1))
        if past is not None:
            k, v = past.append(k, v)
        causal = past is None and mask is None
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        x = self.norm_attention(x + self._thinned(product("out", attended.transpose(1, 2).flatten(2))), film[0])
        return self.norm_output(x + self._thinned(product("down", F.gelu(product("up", x)))), film[1])

    def _thinned(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


def _low_rank(layer: nn.Linear, rank: int) -> nn.Sequential:
    down, up = nn.Linear(layer.in_features, rank, bias=False), nn.Linear(rank, layer.out_features, bias=False)
    nn.init.zeros_(up.weight)
    return nn.Sequential(down, up)


def prefix_mask(valid: Bool[Tensor, "n p"], length: int) -> Bool[Tensor, "n 1 t t"]:
    """Who sees whom where p prefix positions (those that are `valid`) stand before `length` causal ones.

    Every position sees the whole valid prefix; behind it each sees itself and what stands before it.
    """
    n, p = valid.shape
    total = p + length
    seen = torch.ones(total, total, dtype=torch.bool, device=valid.device).tril()
    seen[:, :p] = True
    keys = torch.cat([valid, valid.new_ones(n, length)], dim=1)
    return (seen & keys.unsqueeze(1)).unsqueeze(1)
