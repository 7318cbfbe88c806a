"""Any sentence-transformers model, from a folder or the Hugging Face hub, run as its own pipeline says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.core.errors import BadInput, first_line
from workbench.embed._embedder import Embedder, EmbedderSpec
from workbench.embed._torch import pick_device, quiet_loading, token_counts, weights_revision

__all__ = ["SentenceTransformersEmbedder"]


class SentenceTransformersEmbedder(Embedder):
    """The whole pipeline of a model: tokenizer, transformer, pooling, and Dense and Normalize where it has them.

    Vectors equal those of `SentenceTransformer.encode` to 1e-6.
    """

    def __init__(self, model: str, device: str = "auto", name: str = "") -> None:
        super().__init__()
        from sentence_transformers import SentenceTransformer

        try:
            with quiet_loading():
                self.model = SentenceTransformer(model, device=pick_device(device)).eval()
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot load the sentence-transformers model {model!r}: {first_line(error)}") from error
        dim = self.model.get_embedding_dimension()
        if not dim:
            raise BadInput(f"{model!r} does not state its dimension")
        self.spec = EmbedderSpec(
            name=name or Path(model).name,
            revision=weights_revision(model),
            dim=int(dim),
            normalised=any(type(part).__name__ == "Normalize" for part in self.model),
            max_tokens=int(self.model.max_seq_length or 0),
        )

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Token counts by the model's own tokenizer."""
        return token_counts(self.model.tokenizer, texts)

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """One batch through the pipeline, padded to its longest text."""
        features = self.model.preprocess(texts)
        features = {
            key: value.to(self.model.device) if torch.is_tensor(value) else value for key, value in features.items()
        }
        with torch.inference_mode():
            return self.model(features)["sentence_embedding"].float().cpu().numpy()
