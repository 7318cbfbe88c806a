"""all-mpnet-base-v2, 768 dimensions, mean pooling, fetched on first use"""

from __future__ import annotations

from workbench import assets
from workbench.embed.sentence_transformers import SentenceTransformersEmbedder

__all__ = ["mpnet"]


def mpnet(device: str = "auto") -> SentenceTransformersEmbedder:
    """The embedder of the asset card `mpnet`."""
    return SentenceTransformersEmbedder(str(assets.pipeline_folder("mpnet")), device, name="mpnet")
