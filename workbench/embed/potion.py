"""potion-base-8M, 256 dimensions: static token vectors, thousands of texts a second, fetched on first use"""

from __future__ import annotations

from workbench import assets
from workbench.embed.static import StaticEmbedder

__all__ = ["potion"]


def potion(device: str = "auto") -> StaticEmbedder:
    """The static embedder of the asset card `potion`."""
    return StaticEmbedder(str(assets.pipeline_folder("potion")), device, name="potion")
