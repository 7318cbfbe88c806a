"""Widgets: results that answer in a notebook, and in one file without a kernel. They show; they know no method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.lazy import public_names

if TYPE_CHECKING:
    from workbench.widgets._answers import Progress
    from workbench.widgets._widget import Widget
    from workbench.widgets.audit_grid import AuditGrid, GridCell
    from workbench.widgets.defence_slider import DefencePoint, DefenceSlider
    from workbench.widgets.embedding_map import EmbeddingMap
    from workbench.widgets.inversion_player import InversionPlayer
    from workbench.widgets.mix_pad import MixPad
    from workbench.widgets.pair_attribution import PairAttribution
    from workbench.widgets.probe_dashboard import ProbeDashboard
    from workbench.widgets.vector_chat import VectorChat

_HOMES = {
    "AuditGrid": "workbench.widgets.audit_grid",
    "DefencePoint": "workbench.widgets.defence_slider",
    "DefenceSlider": "workbench.widgets.defence_slider",
    "EmbeddingMap": "workbench.widgets.embedding_map",
    "GridCell": "workbench.widgets.audit_grid",
    "InversionPlayer": "workbench.widgets.inversion_player",
    "MixPad": "workbench.widgets.mix_pad",
    "PairAttribution": "workbench.widgets.pair_attribution",
    "ProbeDashboard": "workbench.widgets.probe_dashboard",
    "Progress": "workbench.widgets._answers",
    "VectorChat": "workbench.widgets.vector_chat",
    "Widget": "workbench.widgets._widget",
}

__all__ = [
    "AuditGrid",
    "DefencePoint",
    "DefenceSlider",
    "EmbeddingMap",
    "GridCell",
    "InversionPlayer",
    "MixPad",
    "PairAttribution",
    "ProbeDashboard",
    "Progress",
    "VectorChat",
    "Widget",
]

__getattr__, __dir__ = public_names(__name__, _HOMES)
