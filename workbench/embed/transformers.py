"""Any transformers encoder, from a folder or the Hugging Face hub, with the pooling stated by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.assets import quiet_loading, require_plain, weights_revision
from workbench.core.errors import BadInput, first_line
from workbench.embed._embedder import EmbedderSpec
from workbench.embed._grad_embedder import Features, GradEmbedder, TokenBatch
from workbench.embed._layers import LayerStack
from workbench.embed._reading import Reading
from workbench.embed._tokens import describe, fillers, read_tokens
from workbench.embed._torch import POOLINGS, pick_device, pool

__all__ = ["TransformersEmbedder"]


class TransformersEmbedder(GradEmbedder):
    """A transformer and one pooling of its last hidden states.

    The pooling has no default: the wrong one gives vectors that look right and mean nothing (the model's own
    `pooler_output` has cosine .03 to MiniLM's true vectors).
    """

    def __init__(self, model: str, pooling: str, normalise: bool = True, device: str = "auto") -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        if pooling not in POOLINGS:
            raise BadInput(f"pooling is {pooling!r}; expected one of {', '.join(POOLINGS)}")
        self.device = pick_device(device)
        require_plain(model)
        try:
            with quiet_loading():
                self.tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
                network = AutoModel.from_pretrained(
                    model, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
                )
                self.model = network.to(self.device).eval()
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot load the transformers model {model!r}: {first_line(error)}") from error
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.tokenizer.padding_side = "right"
        self.pooling = pooling
        self.normalise = normalise
        self.fillers = fillers(self.tokenizer)
        self._stack = LayerStack(self.model)
        self.layers = len(self._stack)
        positions = getattr(self.model.config, "max_position_embeddings", 0) or 0
        self.spec = EmbedderSpec(
            name=f"transformers:{model}?pooling={pooling}" + ("" if normalise else "&normalise=false"),
            revision=weights_revision(model),
            dim=int(self.model.config.hidden_size),
            normalised=normalise,
            max_tokens=min(positions, int(self.tokenizer.model_max_length)) if positions else 0,
        )
        if not normalise:
            self.spec = replace(self.spec, normalised=self._gives_unit_vectors())

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Token counts by the model's own tokenizer."""
        return self.reading(texts).lengths

    def reading(self, texts: Sequence[str]) -> Reading:
        """By the model's own tokenizer."""
        return read_tokens(self.tokenizer, texts, self.spec.max_tokens)

    def features(self, texts: list[str]) -> Features:
        """One batch, padded to its longest text."""
        limit = self.spec.max_tokens or None
        batch = self.tokenizer(texts, padding=True, truncation=limit is not None, max_length=limit, return_tensors="pt")
        return dict(batch.to(self.device))

    def tokenise(self, texts: Sequence[str]) -> TokenBatch:
        """Tokens with their places in the texts."""
        return describe(self.features(list(texts)), self.tokenizer, texts)

    def states(self, features: Features, layer: int) -> Float[torch.Tensor, "n t h"]:
        """States of the transformer."""
        return self._stack.read(self.require_layer(layer), lambda: self.model(**features))

    def encode(
        self, features: Features, layer: int = 0, states: Float[torch.Tensor, "n t h"] | None = None
    ) -> Float[torch.Tensor, "n d"]:
        """Transformer, pooling over the true tokens alone, and normalisation."""
        if states is None:
            return self._pooled(features)
        with self._stack.fed(self.require_layer(layer), states, lambda: self.model(**features)):
            return self._pooled(features)

    def _pooled(self, features: Features) -> torch.Tensor:
        states = self.model(**features).last_hidden_state.float()
        vectors = pool(states, features["attention_mask"], self.pooling)
        return torch.nn.functional.normalize(vectors, dim=1) if self.normalise else vectors
