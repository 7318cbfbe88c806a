"""Mean-pooled token states at every layer, for probes by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.progress import progress
from workbench.embed._embedder import length_batches
from workbench.embed._grad_embedder import GradEmbedder
from workbench.embed._torch import pool


def layer_vectors(embedder: GradEmbedder, texts: Sequence[str]) -> dict[int, Float[np.ndarray, "n h"]]:
    """For each layer, 0 (what enters the first) to the last, the mean of a text's token states, specials included."""
    layers = range(embedder.layers + 1)
    out: dict[int, np.ndarray] = {}
    with progress("layers", len(texts), "texts") as advance, torch.inference_mode():
        lengths = np.minimum(embedder.lengths(texts), embedder.spec.max_tokens or np.iinfo(np.int64).max)
        for batch in length_batches(lengths, embedder.batch_tokens, embedder.batch_texts):
            features = embedder.features([str(texts[row]) for row in batch])
            for layer in layers:
                found = pool(embedder.states(features, layer).float(), features["attention_mask"], "mean")
                table = out.setdefault(layer, np.empty((len(texts), found.shape[1]), np.float32))
                table[batch] = found.cpu().numpy()
            advance(len(batch))
    return out
