"""A language model that reads vectors through soft prompts. Public names are loaded when they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.lazy import public_names

if TYPE_CHECKING:
    from workbench.explain._bundle import Bundle, Claims
    from workbench.explain._chat import Chat
    from workbench.explain._explainer import Explainer, open_explainer

_HOMES = {
    "Bundle": "workbench.explain._bundle",
    "Chat": "workbench.explain._chat",
    "Claims": "workbench.explain._bundle",
    "Explainer": "workbench.explain._explainer",
    "open_explainer": "workbench.explain._explainer",
}

__all__ = ["Bundle", "Chat", "Claims", "Explainer", "open_explainer"]

__getattr__, __dir__ = public_names(__name__, _HOMES)
