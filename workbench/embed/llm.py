"""A causal language model as an embedder: last token, mean, weighted mean, PromptEOL or Echo, at any layer"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench import assets
from workbench.core.errors import BadInput
from workbench.embed._embedder import EmbedderSpec
from workbench.embed._grad_embedder import Features, GradEmbedder, TokenBatch
from workbench.embed._layers import LayerStack
from workbench.embed._reading import Reading, require_characters
from workbench.embed._tokens import fillers, known_tokens
from workbench.embed._torch import pick_device

__all__ = ["LLMEmbedder"]


_MAX_TOKENS = 512
_PLAIN = " ,.!?:;'\"()"
"""Characters that an instruction keeps as they are in the embedder's name."""


@dataclass(frozen=True)
class _Method:
    """What stands around the text, and which tokens the vector is made of."""

    before: str = ""
    between: str | None = None
    """What stands between the two copies of the text; None for a single copy."""
    after: str = ""
    pooling: str = "mean"


METHODS = {
    "last": _Method(pooling="last"),
    "mean": _Method(),
    "weighted-mean": _Method(pooling="weighted"),  # SGPT, Muennighoff 2022
    "prompt-eol": _Method('This sentence : "', after='" means in one word:"', pooling="last"),  # Jiang et al. 2023
    "echo": _Method("Rewrite the sentence: ", ", rewritten sentence: "),  # Springer et al. 2024
}


class LLMEmbedder(GradEmbedder):
    """Hidden states of a causal language model that was never trained to embed.

    `last` is the last token; `mean` all tokens of the text; `weighted-mean` weighs them by their place (SGPT);
    `prompt-eol` asks for the text in one word and takes the last token of the question; `echo` writes the text twice
    and takes the mean over the second copy, whose tokens have seen the whole text. `instruction` stands before the
    text and is not pooled.

    `layer` counts from the embeddings (0); -1 is the last, after the final norm, as in transformers' `hidden_states`.
    Layers above it are not kept in memory. A text is cut to its first `max_tokens` tokens. An empty text is pooled
    over what stands before it (at least the start token).
    """

    def __init__(
        self,
        model: str = "smollm2",
        method: str = "prompt-eol",
        layer: int = -1,
        instruction: str = "",
        max_tokens: int = _MAX_TOKENS,
        normalise: bool = True,
        device: str = "auto",
    ) -> None:
        super().__init__()
        if method not in METHODS:
            raise BadInput(f"method is {method!r}; expected one of {', '.join(METHODS)}")
        if max_tokens < 1:
            raise BadInput(f"max_tokens is {max_tokens}; expected at least 1")
        self.method, self.normalise, self.max_tokens = METHODS[method], normalise, max_tokens
        self.device = pick_device(device)
        self.tokenizer, self.model, place = assets.open_language_model(model, head=False)
        self.tokenizer.padding_side = "right"
        self._cut(layer, model)
        self.model.to(self.device)
        self._stack = LayerStack(self.model)
        self.fillers = fillers(self.tokenizer)
        start = self.tokenizer.bos_token_id if self.tokenizer.bos_token_id is not None else self.tokenizer.eos_token_id
        before = (f"Instruct: {instruction}\nQuery: " if instruction else "") + self.method.before
        self._lead = " " if before.endswith(" ") else ""  # a space belongs to the word after it in these vocabularies
        self._before = [start, *self._ids(before.removesuffix(" "))]
        self._between = self._ids((self.method.between or "").removesuffix(" "))
        self._after = self._ids(self.method.after)
        self._frame = len(self._before) + len(self._between) + len(self._after)
        self._copies = 1 if self.method.between is None else 2
        options = {
            "method": method,
            "layer": "" if layer == -1 else str(layer),
            "instruction": quote(instruction, _PLAIN),
            "max_tokens": "" if max_tokens == _MAX_TOKENS else str(max_tokens),
            "normalise": "" if normalise else "false",
        }
        self.spec = EmbedderSpec(
            name=f"llm:{model}?" + "&".join(f"{key}={value}" for key, value in options.items() if value),
            revision=assets.weights_revision(place),
            dim=int(self.model.config.hidden_size),
            normalised=normalise,
            max_tokens=self._frame + self._copies * max_tokens,
        )
        if not normalise:
            self.spec = replace(self.spec, normalised=self._gives_unit_vectors())

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Tokens that the model reads: the frame, and each copy of the text."""
        return self.reading(texts).lengths

    def reading(self, texts: Sequence[str]) -> Reading:
        """The text's tokens count once, whatever the number of its copies."""
        rows = self._rows(texts)["input_ids"] if len(texts) else []
        own = np.array([len(row) for row in rows], dtype=np.int64)
        known = known_tokens(self.tokenizer, rows)
        return Reading(self._frame + self._copies * own, np.maximum(own - self.max_tokens, 0), own, known)

    def features(self, texts: list[str]) -> Features:
        """Ids, mask and the weight that pooling gives to each token, padded on the right."""
        return self._features(self._rows(texts)["input_ids"])

    def tokenise(self, texts: Sequence[str]) -> TokenBatch:
        """Tokens with their places in the texts; the frame is not content, both copies are."""
        rows = self._rows(texts)
        features = self._features(rows["input_ids"])
        spans = torch.zeros(*features["input_ids"].shape, 2, dtype=torch.long)
        tokens = []
        for row, ids in enumerate(features["input_ids"].tolist()):
            used = int(features["attention_mask"][row].sum())
            names = self.tokenizer.convert_ids_to_tokens(ids[:used])
            offsets = rows["offset_mapping"][row][: self.max_tokens]
            for start in self._starts(len(offsets)):
                for place, ends in enumerate(offsets, start):
                    first, last = (max(end - len(self._lead), 0) for end in ends)
                    spans[row, place] = torch.tensor([first, last])
                    names[place] = texts[row][first:last] or names[place]
            tokens.append((*names, *[""] * (len(ids) - used)))
        content = spans[..., 1] > spans[..., 0]
        return TokenBatch(features, content.to(self.device), spans, tuple(tokens))

    def states(self, features: Features, layer: int) -> Float[torch.Tensor, "n t h"]:
        """States of the language model."""
        return self._stack.read(self.require_layer(layer), lambda: self._run(features))

    def encode(
        self, features: Features, layer: int = 0, states: Float[torch.Tensor, "n t h"] | None = None
    ) -> Float[torch.Tensor, "n d"]:
        """Model, pooling and normalisation."""
        if states is None:
            return self._pooled(features)
        with self._stack.fed(self.require_layer(layer), states, lambda: self._run(features)):
            return self._pooled(features)

    def _pooled(self, features: Features) -> torch.Tensor:
        vectors = torch.einsum("nth,nt->nh", self._run(features), features["weights"])
        return torch.nn.functional.normalize(vectors, dim=1) if self.normalise else vectors

    def _run(self, features: Features) -> torch.Tensor:
        found = self.model(input_ids=features["input_ids"], attention_mask=features["attention_mask"], use_cache=False)
        return found.last_hidden_state.float()

    def _cut(self, layer: int, model: str) -> None:
        """Keep the layers up to `layer` alone; the final norm belongs to the last layer."""
        depth = int(self.model.config.num_hidden_layers)
        if not -1 <= layer <= depth:
            raise BadInput(f"layer is {layer}; {model} has 1 to {depth}, or -1 for the last")
        self.layers = depth if layer == -1 else layer
        if layer == 0:
            raise BadInput("layer is 0, the token embeddings, which have read nothing; expected 1 or more, or -1")
        if self.layers < depth:
            stack = LayerStack(self.model).layers
            del stack[self.layers :]
            self.model.config.num_hidden_layers = self.layers
            self.model.norm = torch.nn.Identity()

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"] if text else []

    def _rows(self, texts: Sequence[str]) -> Any:
        led = [self._lead + text for text in require_characters(texts)]
        return self.tokenizer(led, add_special_tokens=False, return_offsets_mapping=True, verbose=False)

    def _starts(self, length: int) -> list[int]:
        """Where the copies of a text of `length` tokens begin."""
        first = len(self._before)
        return [first] if self._copies == 1 else [first, first + length + len(self._between)]

    def _features(self, rows: list[list[int]]) -> Features:
        rows = [row[: self.max_tokens] for row in rows]
        whole = [self._before + row + (self._between + row if self._copies == 2 else []) + self._after for row in rows]
        ids = torch.full((len(whole), max(map(len, whole))), self.fillers["pad"])
        mask = torch.zeros_like(ids)
        weights = torch.zeros(ids.shape)
        for number, (sequence, row) in enumerate(zip(whole, rows, strict=True)):
            ids[number, : len(sequence)] = torch.tensor(sequence)
            mask[number, : len(sequence)] = 1
            start = self._starts(len(row))[-1]
            weights[number, : len(sequence)] = self._weights(start, len(row), len(sequence))
        batch = {"input_ids": ids, "attention_mask": mask, "weights": weights}
        return {name: value.to(self.device) for name, value in batch.items()}

    def _weights(self, start: int, length: int, whole: int) -> Float[torch.Tensor, " t"]:
        weights = torch.zeros(whole)
        if self.method.pooling == "last":
            weights[-1] = 1.0
        elif not length:
            weights[: len(self._before)] = 1.0
        elif self.method.pooling == "weighted":
            weights[start : start + length] = torch.arange(1.0, length + 1)
        else:
            weights[start : start + length] = 1.0
        return weights / weights.sum()
