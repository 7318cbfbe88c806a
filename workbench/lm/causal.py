"""A causal language model's layers as the decoder: what it knows of the language is there from the start."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.errors import BadInput
from workbench.lm._blocks import ModelCache, Past
from workbench.lm._leaning import LeaningDecoder, Reading
from workbench.lm.text_decoder import Draft
from workbench.lm.vocabulary import Vocabulary

_KINDS = 3
"""What stands before the text besides the vector's token: the draft's pieces, its vector, the difference."""


@dataclass(frozen=True)
class CausalDecoderConfig:
    """Shape of a CausalDecoder: d of the vectors it reads, v words it knows, and the transformers model inside."""

    dim: int
    vocabulary: int
    trunk: dict[str, Any] = field(default_factory=dict)
    """Configuration of that model, as transformers writes it."""
    max_tokens: int = 34
    corrects: bool = False
    bag_of_words: bool = True


class CausalDecoder(LeaningDecoder):
    """The first layers and the final norm of any causal language model, with words of our own vocabulary.

    The vector enters as the first token, as FiLM on the states that the layers give (nothing at first), and as a
    bag-of-words bias on the logits. A draft stands before it: its vector, the difference, its pieces.
    """

    def __init__(self, config: CausalDecoderConfig) -> None:
        from transformers import AutoConfig, AutoModel

        super().__init__(config.dim, config.vocabulary, config.max_tokens, config.corrects, config.bag_of_words)
        self.config = config
        sizes = dict(config.trunk)
        self.trunk: Any = AutoModel.from_config(AutoConfig.for_model(sizes.pop("model_type"), **sizes))
        hidden = int(self.trunk.config.hidden_size)
        self.trunk.set_input_embeddings(nn.Embedding(1, hidden))  # the words are our own
        self.words = nn.Embedding(config.vocabulary, hidden)
        self.first = nn.Linear(config.dim, hidden)
        self.film = nn.Linear(config.dim, 2 * hidden)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        if config.corrects:
            self.kinds = nn.Embedding(_KINDS, hidden)
            self.draft_vector = nn.Linear(config.dim, hidden)
            self.difference = nn.Linear(config.dim, hidden)
            self.draft_gain = nn.Parameter(torch.tensor(0.0))
            nn.init.zeros_(self.kinds.weight)
        self._match(0.02)

    def start_from(self, tokenizer: Any, model: Any, vocabulary: Vocabulary) -> None:
        """Take over the layers of a language model, and for each of our pieces the mean of its tokens' embeddings."""
        own = self.trunk.state_dict()
        known = {name: tensor for name, tensor in model.state_dict().items() if name in own and "embed" not in name}
        self.trunk.load_state_dict(known, strict=False)
        table = model.get_input_embeddings().weight.detach()
        surfaces = [piece[2:] if piece.startswith("##") else f" {piece}" for piece in vocabulary.pieces]
        rows = tokenizer(surfaces, add_special_tokens=False).input_ids
        with torch.no_grad():
            for place, row in enumerate(rows):
                self.words.weight[place] = table[row].mean(0) if row else table.mean(0)
        self._match(float(self.words.weight.detach().std()))

    def read(self, vectors: Float[Tensor, "n d"], draft: Draft | None = None) -> Reading:
        """All that depends on the vectors (and drafts) alone. Vectors are brought to length sqrt(d) first."""
        unit = F.normalize(vectors, dim=-1)
        scale = math.sqrt(self.config.dim)
        prefix, valid, evidence = self.first(unit * scale).unsqueeze(1), None, self._evidence(unit)
        if draft is not None:
            if not self.corrects:
                raise BadInput("this decoder was not trained on drafts; train one with --correction 0.5")
            other = F.normalize(draft.vectors, dim=-1)
            vector = self.draft_vector(other * scale) + self.kinds.weight[1]
            difference = self.difference((unit - other) * scale) + self.kinds.weight[2]
            pieces = self.words(draft.ids) + self.kinds.weight[0]
            prefix = torch.cat([pieces, vector.unsqueeze(1), difference.unsqueeze(1), prefix], dim=1)
            valid = torch.cat([draft.valid, draft.valid.new_ones(len(unit), 3)], dim=1)
            evidence = evidence + self.draft_gain * ((unit - other) @ self.bag_weight)
        return Reading(prefix, valid, [self.film(unit * scale).unsqueeze(1)], evidence)

    def forward(
        self, vectors: Float[Tensor, "n d"], ids: Int[Tensor, "n t"], draft: Draft | None = None
    ) -> Float[Tensor, "n t_plus_1 v"]:
        """Logits of every next piece, given the vector and the pieces before it; texts of one length, no padding."""
        reading = self.read(vectors, draft)
        x = torch.cat([reading.prefix, self.words(ids)], dim=1)
        states = self._run(x, reading.valid, ids.shape[1]).last_hidden_state[:, reading.prefix.shape[1] - 1 :]
        return self._cover_all(self._logits(states, reading), ids, reading.evidence)

    def step(self, ids: Int[Tensor, "n t"], reading: Reading, past: list[Any]) -> Float[Tensor, "n v"]:
        """Logits of the piece after `ids` (which may be empty), given the keys and values of all but its last piece."""
        (memory,) = past
        x = self.words(ids[:, -1:]) if ids.shape[1] else reading.prefix
        states = self._run(x, reading.valid, ids.shape[1], memory.cache).last_hidden_state[:, -1:]
        return self._cover_last(self._logits(states, reading), ids, reading.evidence)

    def empty_past(self, rows: int, prefix: int = 1) -> list[Past]:
        """Empty keys and values."""
        return [ModelCache()]

    def _run(self, x: Tensor, valid: Bool[Tensor, "n p"] | None, length: int, cache: Any = None) -> Any:
        told: dict[str, Any] = {}
        if valid is not None:
            mask = torch.cat([valid, valid.new_ones(len(valid), length)], dim=1).long()
            told = {"attention_mask": mask, "position_ids": (mask.cumsum(1) - 1).clamp(min=0)[:, -x.shape[1] :]}
        return self.trunk(inputs_embeds=x, cache=cache, use_cache=cache is not None, **told)

    def _logits(self, x: Float[Tensor, "n t h"], reading: Reading) -> Float[Tensor, "n t v"]:
        scale, shift = reading.films[0].chunk(2, dim=-1)
        return self._leaning(x * (1 + scale) + shift, reading)

    def _match(self, size: float) -> None:
        """Give the tokens that tell of vectors the size that words have; a vector has length sqrt(d)."""
        for name in ("first", "draft_vector", "difference"):
            if (reader := getattr(self, name, None)) is not None:
                nn.init.normal_(reader.weight, std=size / math.sqrt(self.config.dim))
                nn.init.zeros_(reader.bias)
