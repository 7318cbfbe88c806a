"""Models and corpora that can be had, each described by a TOML card in `cards/`, fetched and verified on request."""

from workbench.assets._card import AssetCard, card, cards
from workbench.assets._fetch import CONVERTERS, fetch, hub_is_reachable, pipeline_folder
from workbench.assets._language_model import open_language_model
from workbench.assets._plain_folder import require_plain
from workbench.assets._quiet import quiet_loading
from workbench.assets._weights import weights_revision

__all__ = [
    "CONVERTERS",
    "AssetCard",
    "card",
    "cards",
    "fetch",
    "hub_is_reachable",
    "open_language_model",
    "pipeline_folder",
    "quiet_loading",
    "require_plain",
    "weights_revision",
]
