"""vec2text's own architecture: a T5 whose encoder reads the vector as pseudo-tokens. For like-for-like comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.errors import BadInput
from workbench.lm.bag_of_words import BagOfWords
from workbench.lm.text_decoder import EOS, PAD, UNK, Candidate, Draft, TextDecoder


@dataclass(frozen=True)
class T5DecoderConfig:
    """Shape of a T5Decoder; the defaults are small enough for a CPU. t5-base has 768, 12, 12 and 3072."""

    dim: int
    vocabulary: int
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 1024
    max_tokens: int = 34
    corrects: bool = False
    pseudo_tokens: int = 16


class T5Decoder(TextDecoder):
    """Encoder-decoder: an MLP turns the vector into `pseudo_tokens` encoder inputs (Morris et al. 2023).

    Where it `corrects`, the encoder reads pseudo-tokens of e, of e - e' and of e', then the draft's pieces. It leans on
    no bag of words and starts from nothing.
    """

    def __init__(self, config: T5DecoderConfig) -> None:
        from transformers import T5Config, T5ForConditionalGeneration

        super().__init__()
        self.config = config
        self.max_tokens, self.corrects = config.max_tokens, config.corrects
        sizes: dict[str, Any] = {
            "vocab_size": config.vocabulary,
            "d_model": config.hidden,
            "d_kv": config.hidden // config.heads,
            "d_ff": config.inner,
            "num_layers": config.layers,
            "num_decoder_layers": config.layers,
            "num_heads": config.heads,
            "dropout_rate": 0.1,
            "pad_token_id": PAD,
            "eos_token_id": EOS,
            "decoder_start_token_id": PAD,
        }
        self.model: Any = T5ForConditionalGeneration(T5Config(**sizes))
        self.readers = nn.ModuleList(_reader(config) for _ in range(3 if config.corrects else 1))

    def set_bag_of_words(self, bag: BagOfWords) -> None:
        """Leans on none."""

    def forward(
        self, vectors: Float[Tensor, "n d"], ids: Int[Tensor, "n t"], draft: Draft | None = None
    ) -> Float[Tensor, "n t_plus_1 v"]:
        """Logits of every next piece."""
        inputs, mask = self._encoder_inputs(vectors, draft)
        started = F.pad(ids, (1, 0), value=PAD)
        return self.model(inputs_embeds=inputs, attention_mask=mask.long(), decoder_input_ids=started).logits

    def beams(
        self,
        vectors: Tensor,
        width: int,
        limit: int,
        banned: Tensor | None,
        draft: Draft | None,
        hints: Tensor | None,
    ) -> list[list[Candidate]]:
        """transformers' own beam search; scores are log-probabilities per piece. Takes no hints."""
        if hints is not None:
            raise BadInput("a T5 decoder takes no hints")
        inputs, mask = self._encoder_inputs(vectors, draft)
        found = self.model.generate(
            inputs_embeds=inputs,
            attention_mask=mask.long(),
            num_beams=width,
            num_return_sequences=width,
            do_sample=False,
            min_new_tokens=2,
            max_new_tokens=limit + 1,
            suppress_tokens=[PAD, UNK],
            begin_suppress_tokens=None if banned is None else banned.tolist(),
            return_dict_in_generate=True,
            output_scores=True,
        )
        rows = [_until_end(row) for row in found.sequences[:, 1:].tolist()]
        scores = self._scores(found, len(rows), width)
        out: list[list[Candidate]] = []
        for start in range(0, len(rows), width):
            best = {rows[i][:limit]: scores[i] for i in range(start + width - 1, start - 1, -1)}
            out.append(sorted((Candidate(ids, score) for ids, score in best.items()), key=lambda c: -c.score))
        return out

    def _scores(self, found: Any, count: int, width: int) -> list[float]:
        if width > 1:
            return found.sequences_scores.tolist()
        steps = self.model.compute_transition_scores(found.sequences, found.scores, normalize_logits=True)
        return [float(row[row.isfinite()].mean()) for row in steps[:count]]

    def _encoder_inputs(
        self, vectors: Tensor, draft: Draft | None
    ) -> tuple[Float[Tensor, "n s h"], Bool[Tensor, "n s"]]:
        scale = math.sqrt(self.config.dim)
        unit = F.normalize(vectors, dim=-1)
        told = [self._pseudo(0, unit * scale)]
        mask = torch.ones(told[0].shape[:2], dtype=torch.bool, device=vectors.device)
        if draft is None:
            return told[0], mask
        if not self.corrects:
            raise BadInput("this decoder was not trained on drafts; train one with --correction 0.5")
        other = F.normalize(draft.vectors, dim=-1)
        first = (~draft.valid).long().argsort(dim=1, stable=True)  # padding at the end: T5 counts distances
        ids, here = draft.ids.gather(1, first), draft.valid.gather(1, first)
        told += [self._pseudo(1, (unit - other) * scale), self._pseudo(2, other * scale), self.model.shared(ids)]
        return torch.cat(told, dim=1), torch.cat([mask, mask, mask, here], dim=1)

    def _pseudo(self, which: int, condition: Float[Tensor, "n d"]) -> Float[Tensor, "n k h"]:
        return self.readers[which](condition).unflatten(1, (self.config.pseudo_tokens, self.config.hidden))


def _reader(config: T5DecoderConfig) -> nn.Module:
    return nn.Sequential(
        nn.Linear(config.dim, config.dim),
        nn.Dropout(0.1),
        nn.GELU(),
        nn.Linear(config.dim, config.pseudo_tokens * config.hidden),
    )


def _until_end(ids: list[int]) -> tuple[int, ...]:
    return tuple(ids[: ids.index(EOS)] if EOS in ids else ids)
