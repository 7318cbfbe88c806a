"""Models and corpora that can be had, each described by a TOML card in `cards/`, fetched and verified on request."""

from workbench.assets._fetch import AssetCard, card, cards, fetch

__all__ = ["AssetCard", "card", "cards", "fetch"]
