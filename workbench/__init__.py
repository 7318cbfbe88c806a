"""The embedding workbench: give it vectors, and it shows what they give away.

Public names are loaded when they are first used; importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.lazy import public_names

if TYPE_CHECKING:
    from workbench.attribute import open_attributor
    from workbench.audit.plan import AuditPlan
    from workbench.audit.run import run_audit
    from workbench.core.embedding_set import EmbeddingSet
    from workbench.core.result import Result
    from workbench.data.corpora import load as load_corpus
    from workbench.data.corpora import read as read_texts
    from workbench.embed import load_embedder
    from workbench.invert import open_inverter
    from workbench.invert._inverter import Attacker
    from workbench.invert._score import score
    from workbench.report.report import Report
    from workbench.results.scores import ScoreTable
    from workbench.widgets.audit_grid import AuditGrid
    from workbench.widgets.embedding_map import EmbeddingMap
    from workbench.widgets.inversion_player import InversionPlayer

_HOMES = {
    "Attacker": "workbench.invert._inverter",
    "AuditGrid": "workbench.widgets.audit_grid",
    "AuditPlan": "workbench.audit.plan",
    "EmbeddingMap": "workbench.widgets.embedding_map",
    "EmbeddingSet": "workbench.core.embedding_set",
    "InversionPlayer": "workbench.widgets.inversion_player",
    "Report": "workbench.report.report",
    "Result": "workbench.core.result",
    "ScoreTable": "workbench.results.scores",
    "load_corpus": "workbench.data.corpora:load",
    "load_embedder": "workbench.embed",
    "open_attributor": "workbench.attribute",
    "open_inverter": "workbench.invert",
    "read_texts": "workbench.data.corpora:read",
    "run_audit": "workbench.audit.run",
    "score": "workbench.invert._score",
}

__all__ = [
    "Attacker",
    "AuditGrid",
    "AuditPlan",
    "EmbeddingMap",
    "EmbeddingSet",
    "InversionPlayer",
    "Report",
    "Result",
    "ScoreTable",
    "load_corpus",
    "load_embedder",
    "open_attributor",
    "open_inverter",
    "read_texts",
    "run_audit",
    "score",
]


__getattr__, __dir__ = public_names(__name__, _HOMES)
