"""Any sentence-transformers model, from a folder or the Hugging Face hub, run as its own pipeline says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.assets import quiet_loading, require_plain, weights_revision
from workbench.core.errors import BadInput, first_line
from workbench.embed._embedder import EmbedderSpec
from workbench.embed._grad_embedder import Features, GradEmbedder, TokenBatch
from workbench.embed._layers import LayerStack
from workbench.embed._reading import Reading
from workbench.embed._tokens import describe, fillers, read_tokens, token_limit, uncut
from workbench.embed._torch import pick_device

__all__ = ["SentenceTransformersEmbedder"]


class SentenceTransformersEmbedder(GradEmbedder):
    """The whole pipeline of a model: prompt, tokenizer, transformer, pooling, Dense and Normalize where it has them.

    Vectors equal those of `SentenceTransformer.encode` to 1e-6.
    """

    def __init__(self, model: str, device: str = "auto", name: str = "") -> None:
        super().__init__()
        from sentence_transformers import SentenceTransformer

        folder = Path(model)
        if (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
            raise BadInput(
                f"{model} states no pooling (it has no modules.json); write transformers:{model}?pooling=mean"
            )
        require_plain(model)
        options = {"use_safetensors": True} if (folder / "config.json").is_file() or not folder.is_dir() else {}
        try:
            with quiet_loading():
                self.model = SentenceTransformer(
                    model, device=pick_device(device), trust_remote_code=False, model_kwargs=options
                ).eval()
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot load the sentence-transformers model {model!r}: {first_line(error)}") from error
        dim = self.model.get_embedding_dimension()
        if not dim:
            raise BadInput(f"{model!r} does not state its dimension")
        self.device = str(self.model.device)
        if self.device.startswith("cuda"):  # small batches leave a GPU idle
            self.batch_tokens, self.batch_texts = 65_536, 2048
        self.prompt = (self.model.prompts or {}).get(self.model.default_prompt_name or "", "") or ""
        transformer = getattr(self.model[0], "auto_model", None)
        self._stack = LayerStack(transformer) if transformer is not None else None
        self.layers = len(self._stack) if self._stack else 0
        self.fillers = fillers(self.model.tokenizer) if self._stack else {}
        self.spec = EmbedderSpec(
            name=name or f"sentence-transformers:{model}",
            revision=weights_revision(model),
            dim=int(dim),
            normalised=self._gives_unit_vectors(),
            max_tokens=int(self.model.max_seq_length or 0) if self._stack else token_limit(self.model[0]),
        )
        self._counter = uncut(self.model.tokenizer)

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Token counts by the model's own tokenizer."""
        return self.reading(texts).lengths

    def reading(self, texts: Sequence[str]) -> Reading:
        """By the model's own tokenizer, prompt included."""
        return read_tokens(self._counter, texts, self.spec.max_tokens, self.prompt)

    def features(self, texts: list[str]) -> Features:
        """One batch through the pipeline's own preprocessing, padded to its longest text."""
        features = self.model.preprocess(texts, prompt=self.prompt or None)
        return {key: value.to(self.device) if torch.is_tensor(value) else value for key, value in features.items()}

    def tokenise(self, texts: Sequence[str]) -> TokenBatch:
        """Tokens with their places in the texts; those of the prompt are not content."""
        self._open()
        return describe(self.features(list(texts)), self.model.tokenizer, texts, self.prompt)

    def states(self, features: Features, layer: int) -> Float[torch.Tensor, "n t h"]:
        """States of the pipeline's transformer."""
        return self._open().read(self.require_layer(layer), lambda: self.encode(features))

    def encode(
        self, features: Features, layer: int = 0, states: Float[torch.Tensor, "n t h"] | None = None
    ) -> Float[torch.Tensor, "n d"]:
        """The whole pipeline, differentiable."""
        if states is None:
            return self.model(dict(features))["sentence_embedding"]
        with self._open().fed(self.require_layer(layer), states, lambda: self.encode(features)):
            return self.model(dict(features))["sentence_embedding"]

    def _open(self) -> LayerStack:
        if self._stack is None:
            kind = type(self.model[0]).__name__
            static = self.spec.name.replace("sentence-transformers", "static")
            hint = f"; open it as {static}" if kind == "StaticEmbedding" else ""
            raise BadInput(f"{self.spec.name} begins with {kind}, which has no layers to read{hint}")
        return self._stack
