"""bge-small-en-v1.5, 384 dimensions, CLS pooling, fetched on first use"""

from __future__ import annotations

from workbench import assets
from workbench.embed.sentence_transformers import SentenceTransformersEmbedder

__all__ = ["bge_small"]


def bge_small(device: str = "auto") -> SentenceTransformersEmbedder:
    """The embedder of the asset card `bge-small`."""
    return SentenceTransformersEmbedder(str(assets.pipeline_folder("bge-small")), device, name="bge-small")
