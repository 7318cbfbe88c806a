"""A small causal transformer that writes the text of a vector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.lm.bag_of_words import BagOfWords

if TYPE_CHECKING:
    from transformers import BertModel

    from workbench.lm.vocabulary import Vocabulary

_EVIDENCE_LIMITS = (-4.0, 10.0)


@dataclass(frozen=True)
class DecoderConfig:
    """Shape of a ConditionedDecoder: d of the vectors it reads, v words it knows, and its own sizes."""

    dim: int
    vocabulary: int
    hidden: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1536
    max_tokens: int = 34


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


class Block(nn.Module):
    """One BERT layer, run causally."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.hidden, 3 * config.hidden)
        self.out = nn.Linear(config.hidden, config.hidden)
        self.norm_attention = FilmNorm(config.hidden, config.dim)
        self.up = nn.Linear(config.hidden, config.inner)
        self.down = nn.Linear(config.inner, config.hidden)
        self.norm_output = FilmNorm(config.hidden, config.dim)

    def forward(
        self, x: Float[Tensor, "n t h"], film: tuple[Tensor, Tensor], past: KeyValues | None = None
    ) -> Float[Tensor, "n t h"]:
        """All positions at once, or (with `past`) one new position after those that `past` holds."""
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        if past is not None:
            k, v = past.append(k, v)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=past is None)
        x = self.norm_attention(x + self.out(attended.transpose(1, 2).flatten(2)), film[0])
        return self.norm_output(x + self.down(F.gelu(self.up(x))), film[1])


class KeyValues:
    """Keys and values of one layer for the positions so far, in memory that is taken once."""

    def __init__(self, rows: int, heads: int, positions: int, width: int, like: Tensor) -> None:
        self._kv = like.new_empty(2, rows, heads, positions, width)
        self._used = 0

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store one position, give all."""
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


@dataclass
class Reading:
    """What a vector says to the decoder, computed once per text: FiLM of every norm, first token, word evidence."""

    first: Float[Tensor, "n 1 h"]
    films: list[Tensor]
    evidence: Float[Tensor, "n v"]

    def take(self, rows: Int[Tensor, " m"]) -> Reading:
        """The given rows."""
        return Reading(self.first[rows], [film[rows] for film in self.films], self.evidence[rows])


class ConditionedDecoder(nn.Module):
    """Writes text from a vector e: p(w_1 .. w_t | e), word piece by word piece.

    The vector enters three times: as the first token, as FiLM after each layer norm, and as a closed-form bag-of-words
    bias on the logits, from which words already written are taken away (coverage).
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.hidden)
        self.positions = nn.Embedding(config.max_tokens + 1, config.hidden)
        self.first = nn.Linear(config.dim, config.hidden)
        self.norm = FilmNorm(config.hidden, config.dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.bag_weight: Tensor
        self.bag_bias: Tensor
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        self.gain = nn.Parameter(torch.tensor(0.5))
        self.coverage = nn.Parameter(torch.tensor([0.0, 0.25]))
        self.register_buffer("bag_weight", torch.zeros(config.dim, config.vocabulary), persistent=False)
        self.register_buffer("bag_bias", torch.zeros(config.vocabulary), persistent=False)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)

    def start_from(self, model: BertModel, vocabulary: Vocabulary) -> None:
        """Copy the embeddings and first layers of a BERT-like model of the same width; deeper layers stay random."""
        state = model.state_dict()
        base = torch.from_numpy(vocabulary.base)
        words = state["embeddings.word_embeddings.weight"]
        with torch.no_grad():
            self.words.weight.copy_(torch.where((base < 0).unsqueeze(1), words.mean(0), words[base.clamp(min=0)]))
            token_type = state["embeddings.token_type_embeddings.weight"][0]
            self.positions.weight.copy_(
                state["embeddings.position_embeddings.weight"][: len(self.positions.weight)] + token_type
            )
        _copy(self.norm.norm, state, "embeddings.LayerNorm")
        for number, block in enumerate(self._layers()):
            name = f"encoder.layer.{number}"
            if f"{name}.output.dense.weight" not in state:
                break
            with torch.no_grad():
                for kind in ("weight", "bias"):
                    parts = [state[f"{name}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
                    getattr(block.qkv, kind).copy_(torch.cat(parts))
            _copy(block.out, state, f"{name}.attention.output.dense")
            _copy(block.norm_attention.norm, state, f"{name}.attention.output.LayerNorm")
            _copy(block.up, state, f"{name}.intermediate.dense")
            _copy(block.down, state, f"{name}.output.dense")
            _copy(block.norm_output.norm, state, f"{name}.output.LayerNorm")

    def set_bag_of_words(self, bag: BagOfWords) -> None:
        """Take over a fitted bag of words; it is not trained further."""
        self.bag_weight.copy_(torch.from_numpy(bag.weight))
        self.bag_bias.copy_(torch.from_numpy(bag.bias))

    def read(self, vectors: Float[Tensor, "n d"]) -> Reading:
        """All that depends on the vectors alone. Vectors are brought to length sqrt(d) first."""
        unit = F.normalize(vectors, dim=-1)
        condition = unit * math.sqrt(self.config.dim)
        norms = [self.norm, *(norm for block in self._layers() for norm in (block.norm_attention, block.norm_output))]
        evidence = (unit @ self.bag_weight + self.bag_bias).clamp(*_EVIDENCE_LIMITS)
        return Reading(self.first(condition).unsqueeze(1), [norm.modulation(condition) for norm in norms], evidence)

    def forward(self, vectors: Float[Tensor, "n d"], ids: Int[Tensor, "n t"]) -> Float[Tensor, "n t_plus_1 v"]:
        """Logits of every next piece, given the vector and the pieces before it; texts of one length, no padding."""
        reading = self.read(vectors)
        x = torch.cat([reading.first, self.words(ids)], dim=1)
        x = self.norm(x + self.positions.weight[: x.shape[1]], reading.films[0])
        for block, film in zip(self.blocks, _pairs(reading.films), strict=True):
            x = block(x, film)
        logits = self._logits(x, reading)
        before = torch.ones(x.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).tril(-1)
        return self._cover(logits, ids, before, reading.evidence)

    def step(self, ids: Int[Tensor, "n t"], reading: Reading, past: list[KeyValues]) -> Float[Tensor, "n v"]:
        """Logits of the piece after `ids` (which may be empty), given the keys and values of all but its last piece."""
        place = ids.shape[1]
        x = self.words(ids[:, -1:]) if place else reading.first
        x = self.norm(x + self.positions.weight[place], reading.films[0])
        for block, film, kv in zip(self.blocks, _pairs(reading.films), past, strict=True):
            x = block(x, film, kv)
        logits = self._logits(x, reading)
        if place:
            all_before = torch.ones(1, place, dtype=torch.bool, device=ids.device)
            logits = self._cover(logits, ids, all_before, reading.evidence)
        return logits.squeeze(1)

    def empty_past(self, rows: int) -> list[KeyValues]:
        """Room for the keys and values of `rows` texts."""
        c = self.config
        return [KeyValues(rows, c.heads, c.max_tokens + 1, c.hidden // c.heads, self.bias) for _ in range(c.layers)]

    def _layers(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def _logits(self, x: Float[Tensor, "n t h"], reading: Reading) -> Float[Tensor, "n t v"]:
        return F.linear(x, self.words.weight, self.bias) + self.gain * reading.evidence.unsqueeze(1)

    def _cover(
        self, logits: Float[Tensor, "n p v"], ids: Int[Tensor, "n t"], before: Tensor, evidence: Float[Tensor, "n v"]
    ) -> Float[Tensor, "n p v"]:
        """Take from each word already written what the bag of words and a constant gave to it, once per word."""
        earlier = (ids.unsqueeze(2) == ids.unsqueeze(1)).tril(-1).any(2)  # n t: written before place t
        penalty = self.coverage[0] + self.coverage[1] * evidence.gather(1, ids)
        penalty = penalty.masked_fill(earlier, 0.0).unsqueeze(1) * before
        return logits.scatter_add(2, ids.unsqueeze(1).expand(-1, logits.shape[1], -1), -penalty.to(logits.dtype))


def _pairs(films: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return list(zip(films[1::2], films[2::2], strict=True))


def _copy(module: nn.Module, state: dict[str, Tensor], name: str) -> None:
    module.load_state_dict({kind: state[f"{name}.{kind}"] for kind in ("weight", "bias")})
