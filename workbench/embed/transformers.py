"""Any transformers encoder, from a folder or the Hugging Face hub, with the pooling stated by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.core.errors import BadInput, first_line
from workbench.embed._embedder import Embedder, EmbedderSpec
from workbench.embed._torch import pick_device, quiet_loading, token_counts, weights_revision

__all__ = ["TransformersEmbedder"]

POOLINGS = ("mean", "cls", "last", "max")


class TransformersEmbedder(Embedder):
    """A transformer and one pooling of its last hidden states.

    The pooling has no default: the wrong one gives vectors that look right and mean nothing (the model's own
    `pooler_output` has cosine .03 to MiniLM's true vectors).
    """

    def __init__(self, model: str, pooling: str, normalise: bool = True, device: str = "auto") -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        if pooling not in POOLINGS:
            raise BadInput(f"pooling is {pooling!r}; expected one of {', '.join(POOLINGS)}")
        try:
            with quiet_loading():
                self.tokenizer = AutoTokenizer.from_pretrained(model)
                self.model = AutoModel.from_pretrained(model, dtype=torch.float32).to(pick_device(device)).eval()
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot load the transformers model {model!r}: {first_line(error)}") from error
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.tokenizer.padding_side = "right"
        self.pooling = pooling
        self.normalise = normalise
        positions = getattr(self.model.config, "max_position_embeddings", 0) or 0
        self.spec = EmbedderSpec(
            name=f"{Path(model).name}:{pooling}",
            revision=weights_revision(model),
            dim=int(self.model.config.hidden_size),
            normalised=normalise,
            max_tokens=min(positions, int(self.tokenizer.model_max_length)) if positions else 0,
        )

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Token counts by the model's own tokenizer."""
        return token_counts(self.tokenizer, texts)

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """One batch, padded to its longest text, pooled over its true tokens alone."""
        limit = self.spec.max_tokens or None
        batch = self.tokenizer(texts, padding=True, truncation=limit is not None, max_length=limit, return_tensors="pt")
        batch = batch.to(self.model.device)
        with torch.inference_mode():
            states = self.model(**batch).last_hidden_state.float()
            pooled = _pool(states, batch["attention_mask"], self.pooling)
            if self.normalise:
                pooled = torch.nn.functional.normalize(pooled, dim=1)
        return pooled.cpu().numpy()


def _pool(
    states: Float[torch.Tensor, "n t d"], mask: Int[torch.Tensor, "n t"], pooling: str
) -> Float[torch.Tensor, "n d"]:
    weight = mask.unsqueeze(-1).to(states.dtype)
    if pooling == "mean":
        return (states * weight).sum(1) / weight.sum(1).clamp(min=1)
    if pooling == "max":
        return states.masked_fill(weight == 0, -torch.inf).amax(1)
    place = torch.zeros_like(mask[:, 0]) if pooling == "cls" else mask.sum(1) - 1
    return states[torch.arange(len(states), device=states.device), place]
