"""Result types: frozen dataclasses that render, save and load themselves."""

from workbench.results.audit_result import AuditResult, Control, Recovery
from workbench.results.augmentation import Augmentation, LabelCount, Sample
from workbench.results.embedder_comparison import EmbedderComparison, EmbedderScores
from workbench.results.inversions import Inversions
from workbench.results.scores import InversionScores, ScoreTable

__all__ = [
    "AuditResult",
    "Augmentation",
    "Control",
    "EmbedderComparison",
    "EmbedderScores",
    "InversionScores",
    "Inversions",
    "LabelCount",
    "Recovery",
    "Sample",
    "ScoreTable",
]
