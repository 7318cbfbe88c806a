"""GradEmbedder: an embedder whose insides are open. Token states at every layer, and gradients. Weights access."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from workbench.core.errors import BadInput
from workbench.core.vectors import are_unit, unit
from workbench.embed._embedder import Embedder
from workbench.embed._torch import quick_in_bf16, rough_products

ROUGH = 5e-5
"""Most by which a rough vector's cosine to the exact one may fall short of 1, half of what a search takes for equal."""
_PROBES = (
    "Yes.",
    "The invoice of 4 May 2021 was sent to Anna Schmidt in Hamburg.",
    "how do i reset my password??",
    "🙂 x = 3.7",
)
Features = Mapping[str, Any]
"""What a model is called with: `input_ids` (n t) and `attention_mask` (n t) and whatever else it needs."""


@dataclass(frozen=True)
class TokenBatch:
    """Texts as an embedder's model reads them."""

    features: Features
    content: Bool[torch.Tensor, "n t"]
    """Tokens of the text itself: no specials, no prompt or template, no padding."""
    spans: Int[torch.Tensor, "n t 2"]
    """First and one-past-last character of the text that a token covers; 0, 0 outside of `content`."""
    tokens: tuple[tuple[str, ...], ...]
    """Readable tokens, one for each position: the text's own characters where it is content. Padding is empty."""

    @property
    def ids(self) -> Int[torch.Tensor, "n t"]:
        """Token ids."""
        return self.features["input_ids"]

    @property
    def mask(self) -> Int[torch.Tensor, "n t"]:
        """1 for a token, 0 for padding."""
        return self.features["attention_mask"]


class GradEmbedder(Embedder):
    """An embedder that runs on torch. A member gives `features`, `tokenise`, `states` and `encode`.

    Layer 0 is what enters the first transformer layer; layer `layers` is what leaves the last one that is used. For
    every layer, `encode(batch.features, layer, states(batch.features, layer))` equals `encode(batch.features)`, with
    pooling, Dense and normalisation inside the graph.
    """

    layers: int
    device: str
    _is_rough: bool = False
    _rough: Embedder | None = None
    fillers: Mapping[str, int]
    """Ids of the tokens that say nothing, by name: `pad`, and `mask` where the model has one. From the tokenizer."""

    @abstractmethod
    def features(self, texts: list[str]) -> Features:
        """What the model is called with for one batch, on its device."""

    @abstractmethod
    def tokenise(self, texts: Sequence[str]) -> TokenBatch:
        """The same, with what each token is. Truncated as `embed` truncates."""

    @abstractmethod
    def states(self, features: Features, layer: int) -> Float[torch.Tensor, "n t h"]:
        """Token states at a layer, in the graph of the model's parameters unless gradients are off."""

    @abstractmethod
    def encode(
        self, features: Features, layer: int = 0, states: Float[torch.Tensor, "n t h"] | None = None
    ) -> Float[torch.Tensor, "n d"]:
        """Vectors, differentiable. With `states`, these take the place of the token states at `layer`."""

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Vectors of one batch, without a graph."""
        with torch.inference_mode(), rough_products(self.device, self._is_rough):
            return self.encode(self.features(texts)).float().cpu().numpy()

    def _gives_unit_vectors(self) -> bool:
        """Whether the vectors of some texts have length 1; the names of a pipeline's modules do not decide that."""
        vectors = self.forward(list(_PROBES))
        return are_unit(vectors[np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)])

    @final
    def rough(self) -> Embedder:
        """The same model with its products in bf16, where these are quicker and its vectors stay within ROUGH of the
        exact ones; made once, so that all who search share what it has embedded."""
        if self._rough is None:
            self._rough = self._made_rough() if quick_in_bf16(self.device) and not self._is_rough else self
        return self._rough

    def _made_rough(self) -> Embedder:
        quick = copy(self)
        Embedder.__init__(quick)
        quick._is_rough = True
        exact, near = unit(self.forward(list(_PROBES))), unit(quick.forward(list(_PROBES)))
        return quick if (exact * near).sum(1).min() > 1 - ROUGH else self

    @final
    def reference(self, batch: TokenBatch, filler: str = "pad") -> TokenBatch:
        """The same batch with every token of the text replaced by one that says nothing; specials and length stay.

        The point from which integrated gradients start (a zero vector is no input that a model ever saw).
        """
        if filler not in self.fillers:
            raise BadInput(f"filler is {filler!r}; {self.spec.name} has: {', '.join(self.fillers) or 'none'}")
        ids = batch.ids.masked_fill(batch.content, self.fillers[filler])
        tokens = tuple(
            tuple(f"[{filler}]" if inside else token for token, inside in zip(row, flags, strict=True))
            for row, flags in zip(batch.tokens, batch.content.tolist(), strict=True)
        )
        return replace(batch, features={**batch.features, "input_ids": ids}, tokens=tokens)

    @final
    def require_layer(self, layer: int) -> int:
        """`layer` itself if the embedder has it; raises BadInput otherwise."""
        if not 0 <= layer <= self.layers:
            raise BadInput(f"layer is {layer}; {self.spec.name} has 0 to {self.layers}")
        return layer
