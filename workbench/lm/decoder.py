"""A small causal transformer that writes the text of a vector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.errors import BadInput
from workbench.lm._blocks import Block, FilmNorm, KeyValues, Past, prefix_mask
from workbench.lm._leaning import LeaningDecoder, Reading
from workbench.lm.text_decoder import Draft

if TYPE_CHECKING:
    from transformers import BertModel

    from workbench.lm.vocabulary import Vocabulary

_KINDS = 3
"""What stands before the text besides the vector's token: the draft's pieces, its vector, the difference."""

_DRAFT_PARTS = {"kinds", "draft_vector", "difference", "shift", "draft_gain", "draft_words", "pointer"}


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
    corrects: bool = False
    """Whether it can be shown a draft."""
    draft_rank: int = 0
    """Rank of what is added to each layer's products where a draft is shown; above 0 it points at the draft's pieces
    too. 0: it attends to them alone, and hardly learns to use them."""
    bag_of_words: bool = True
    """Whether it leans on a closed-form bag of words."""


class ConditionedDecoder(LeaningDecoder):
    """Writes text from a vector e: p(w_1 .. w_t | e), word piece by word piece.

    The vector enters three times: as the first token, as FiLM after each layer norm, and as a closed-form bag-of-words
    bias on the logits, from which words already written are taken away (coverage).

    Where it `corrects`, it may be shown a draft: its pieces, its vector e' and e - e' then stand before the text and
    are seen from everywhere, and e - e' moves FiLM and the bag of words (both by nothing at first). Without a draft it
    computes what it would compute without these parts.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config.dim, config.vocabulary, config.max_tokens, config.corrects, config.bag_of_words)
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.hidden)
        self.positions = nn.Embedding(config.max_tokens + 1, config.hidden)
        self.first = nn.Linear(config.dim, config.hidden)
        self.norm = FilmNorm(config.hidden, config.dim)
        self.blocks = nn.ModuleList(
            Block(config.hidden, config.inner, config.heads, config.dim, config.draft_rank)
            for _ in range(config.layers)
        )
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)
        if config.corrects:
            self.kinds = nn.Embedding(_KINDS, config.hidden)
            self.draft_vector = nn.Linear(config.dim, config.hidden)
            self.difference = nn.Linear(config.dim, config.hidden)
            self.shift = nn.Linear(config.dim, config.dim, bias=False)
            self.draft_gain = nn.Parameter(torch.tensor(0.0))
            nn.init.normal_(self.kinds.weight, std=0.02)
            nn.init.zeros_(self.shift.weight)
            if config.draft_rank:
                self._add_pointer(config.hidden)

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

    def learn_drafts_alone(self) -> None:
        """From now on nothing learns that matters where no draft is shown."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name.split(".")[0] in _DRAFT_PARTS or ".additions." in name)

    def read(self, vectors: Float[Tensor, "n d"], draft: Draft | None = None) -> Reading:
        """All that depends on the vectors (and drafts) alone. Vectors are brought to length sqrt(d) first."""
        unit = F.normalize(vectors, dim=-1)
        condition = unit * math.sqrt(self.config.dim)
        first = self.first(condition).unsqueeze(1) + self.positions.weight[:1]
        evidence = self._evidence(unit)
        valid = pieces = None
        if draft is not None:
            if not self.corrects:
                raise BadInput("this decoder was not trained on drafts; train one with --correction 0.5")
            other = F.normalize(draft.vectors, dim=-1)
            missing = unit - other
            pieces = self._pieces(draft)
            first, valid = self._show(draft, pieces, other, missing, first)
            evidence = evidence + self.draft_gain * (missing @ self.bag_weight)
            condition = condition + self.shift(missing * math.sqrt(self.config.dim))
        norms = [self.norm, *(norm for block in self._layers() for norm in (block.norm_attention, block.norm_output))]
        reading = Reading(first, valid, [norm.modulation(condition) for norm in norms], evidence)
        return reading if draft is None or pieces is None else self._point(reading, draft, pieces)

    def _pieces(self, draft: Draft) -> Float[Tensor, "n s h"]:
        here = draft.valid
        place = (here.cumsum(1) * here).clamp(max=self.config.max_tokens)
        return self.words(draft.ids) + self.positions(place) + self.kinds.weight[0]

    def _show(
        self, draft: Draft, pieces: Tensor, other: Tensor, missing: Tensor, first: Tensor
    ) -> tuple[Float[Tensor, "n p h"], Bool[Tensor, "n p"]]:
        """The tokens that show a draft, and which of them are there."""
        scale = math.sqrt(self.config.dim)
        vector = self.draft_vector(other * scale) + self.kinds.weight[1]
        difference = self.difference(missing * scale) + self.kinds.weight[2]
        prefix = torch.cat([vector.unsqueeze(1), difference.unsqueeze(1), pieces, first], dim=1)
        sure = draft.valid.new_ones(len(pieces), 1)
        return prefix, torch.cat([sure, sure, draft.valid, sure], dim=1)

    def forward(
        self, vectors: Float[Tensor, "n d"], ids: Int[Tensor, "n t"], draft: Draft | None = None
    ) -> Float[Tensor, "n t_plus_1 v"]:
        """Logits of every next piece, given the vector and the pieces before it; texts of one length, no padding."""
        reading = self.read(vectors, draft)
        skip, length = reading.prefix.shape[1] - 1, ids.shape[1]
        x = torch.cat([reading.prefix, self.words(ids) + self.positions.weight[1 : length + 1]], dim=1)
        mask = None if reading.valid is None else prefix_mask(reading.valid, length)
        x = self.norm(x, reading.films[0])
        for block, film in zip(self.blocks, _pairs(reading.films), strict=True):
            x = block(x, film, mask=mask, added=reading.pointed is not None)
        return self._cover_all(self._leaning(x[:, skip:], reading), ids, reading.evidence)

    def step(self, ids: Int[Tensor, "n t"], reading: Reading, past: list[Any]) -> Float[Tensor, "n v"]:
        """Logits of the piece after `ids` (which may be empty), given the keys and values of all but its last piece."""
        place, mask = ids.shape[1], None
        x = self.words(ids[:, -1:]) + self.positions.weight[place] if place else reading.prefix
        if reading.valid is not None:
            mask = torch.cat([reading.valid, reading.valid.new_ones(len(ids), place)], dim=1)[:, None, None]
        x = self.norm(x, reading.films[0])
        for block, film, kv in zip(self.blocks, _pairs(reading.films), past, strict=True):
            x = block(x, film, kv, mask, reading.pointed is not None)
        return self._cover_last(self._leaning(x[:, -1:], reading), ids, reading.evidence)

    def empty_past(self, rows: int, prefix: int = 1) -> list[Past]:
        """Room for the keys and values of `rows` texts behind `prefix` tokens."""
        c = self.config
        positions = c.max_tokens + prefix
        return [KeyValues(rows, c.heads, positions, c.hidden // c.heads, self.bias) for _ in range(c.layers)]

    def _layers(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]


def _pairs(films: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return list(zip(films[1::2], films[2::2], strict=True))


def _copy(module: nn.Module, state: dict[str, Tensor], name: str) -> None:
    module.load_state_dict({kind: state[f"{name}.{kind}"] for kind in ("weight", "bias")})
