"""Static token embeddings (model2vec, StaticEmbedding): the mean of a table's rows, a bag of tokens"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.assets import quiet_loading, require_plain, weights_revision
from workbench.core.errors import BadInput, first_line
from workbench.core.progress import progress
from workbench.embed._embedder import EmbedderSpec
from workbench.embed._grad_embedder import Features, GradEmbedder, TokenBatch
from workbench.embed._reading import Reading, record, require_characters
from workbench.embed._torch import pick_device, pool

__all__ = ["StaticEmbedder"]

_BATCH = 1024


class StaticEmbedder(GradEmbedder):
    """A sentence-transformers pipeline that begins with StaticEmbedding; what follows it (Normalize) is kept.

    Has no transformer layer: layer 0 is the token vectors themselves, so every attribution has a closed form. A text
    without any token (an empty one) is read as one unknown token, for the mean of nothing would have no direction.
    """

    def __init__(self, model: str, device: str = "auto", name: str = "") -> None:
        super().__init__()
        from sentence_transformers import SentenceTransformer

        self.device = pick_device(device)
        require_plain(model)
        try:
            with quiet_loading():
                pipeline = SentenceTransformer(model, device=self.device, trust_remote_code=False).eval()
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot load the static model {model!r}: {first_line(error)}") from error
        table: Any = pipeline[0]
        if type(table).__name__ != "StaticEmbedding":
            raise BadInput(f"{model} begins with {type(table).__name__}, not with StaticEmbedding; open it by its path")
        self._tokenizer = table.tokenizer
        self._tokenizer.no_truncation()
        self._table: torch.Tensor = table.embedding.weight
        self._rest = torch.nn.Sequential(*list(pipeline)[1:])
        self.layers = 0
        known = {name: self._tokenizer.token_to_id(f"[{name.upper()}]") for name in ("pad", "unk", "mask")}
        self.fillers = {name: id for name, id in known.items() if id is not None}
        self._empty = self.fillers.get("unk", 0)
        self.spec = EmbedderSpec(
            name=name or f"static:{model}",
            revision=weights_revision(model),
            dim=int(pipeline.get_embedding_dimension() or table.embedding_dim),
            normalised=self._gives_unit_vectors(),
            max_tokens=0,
        )

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Token counts; there are no specials, and an empty text counts one."""
        return np.array([max(len(row.ids), 1) for row in self._encodings(texts)], dtype=np.int64)

    def reading(self, texts: Sequence[str]) -> Reading:
        """Nothing is cut: the limit of the tokenizer is taken away."""
        return self._reading([row.ids for row in self._encodings(texts)])

    def _reading(self, rows: list[list[int]]) -> Reading:
        own = np.array([len(row) for row in rows], dtype=np.int64)
        unknown = np.array([row.count(self._empty) for row in rows], dtype=np.int64)
        return Reading(np.maximum(own, 1), np.zeros_like(own), own, own - unknown)

    def features(self, texts: list[str]) -> Features:
        """Ids and mask, padded to the longest text."""
        return self._padded([row.ids for row in self._encodings(texts)])

    def tokenise(self, texts: Sequence[str]) -> TokenBatch:
        """Tokens with their places in the texts."""
        rows = self._encodings(texts)
        features = self._padded([row.ids for row in rows])
        width = features["input_ids"].shape[1]
        spans = torch.zeros(len(rows), width, 2, dtype=torch.long)
        tokens = []
        for row, (encoding, text) in enumerate(zip(rows, texts, strict=True)):
            if encoding.ids:
                spans[row, : len(encoding.ids)] = torch.tensor(encoding.offsets)
            names = [text[start:end] for start, end in encoding.offsets] or ["[unk]"]
            tokens.append((*names, *[""] * (width - len(names))))
        content = (spans[..., 1] > spans[..., 0]).to(self.device)
        return TokenBatch(features, content, spans, tuple(tokens))

    def states(self, features: Features, layer: int) -> Float[torch.Tensor, "n t h"]:
        """Rows of the table."""
        self.require_layer(layer)
        return torch.nn.functional.embedding(features["input_ids"], self._table)

    def encode(
        self, features: Features, layer: int = 0, states: Float[torch.Tensor, "n t h"] | None = None
    ) -> Float[torch.Tensor, "n d"]:
        """Mean over the tokens, then the rest of the pipeline."""
        states = self.states(features, layer) if states is None else states
        vectors = pool(states, features["attention_mask"], "mean")
        return self._rest({"sentence_embedding": vectors})["sentence_embedding"]

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Vectors of one batch, of any lengths: nothing is padded."""
        return self._means([row.ids for row in self._encodings(texts)])

    def _means(self, rows: list[list[int]]) -> Float[np.ndarray, "n d"]:
        rows = [row or [self._empty] for row in rows]
        starts = torch.tensor([0, *map(len, rows[:-1])], device=self.device).cumsum(0)
        ids = torch.tensor([id for row in rows for id in row], device=self.device)
        with torch.inference_mode():
            means = torch.nn.functional.embedding_bag(ids, self._table, starts, mode="mean")
            return self._rest({"sentence_embedding": means})["sentence_embedding"].float().cpu().numpy()

    def _embed_distinct(self, texts: list[str], what: str) -> np.ndarray:
        """In the order of the texts: without padding there is no need to count tokens first."""
        self.queries += len(texts)
        out = np.empty((len(texts), self.spec.dim), np.float32)
        with progress(what, len(texts), "texts") as advance:
            for start in range(0, len(texts), _BATCH):
                batch = texts[start : start + _BATCH]
                rows = [row.ids for row in self._encodings(batch)]
                record(self.spec.name, 0, batch, self._reading(rows))
                out[start : start + _BATCH] = self._means(rows)
                advance(len(batch))
        return out

    def _encodings(self, texts: Sequence[str]) -> list:
        return self._tokenizer.encode_batch(require_characters(texts), add_special_tokens=False)

    def _padded(self, rows: list[list[int]]) -> Features:
        rows = [row or [self._empty] for row in rows]
        width = max(map(len, rows))
        ids = torch.full((len(rows), width), self.fillers.get("pad", 0))
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        return {"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)}
