"""Result types: frozen dataclasses that render, save and load themselves."""

from workbench.results.attribution import Attribution, HitAttributions, PairAttribution
from workbench.results.audit_result import AuditResult, Control, Recovery
from workbench.results.augmentation import Augmentation, LabelCount, Sample
from workbench.results.embedder_comparison import EmbedderComparison, EmbedderScores
from workbench.results.faithfulness import Faithfulness, MethodFaithfulness
from workbench.results.inversions import Inversions
from workbench.results.probe_scores import Gain, ProbeScores, TaskScores
from workbench.results.scores import InversionScores, ScoreTable

__all__ = [
    "Attribution",
    "AuditResult",
    "Augmentation",
    "Control",
    "EmbedderComparison",
    "EmbedderScores",
    "Faithfulness",
    "Gain",
    "HitAttributions",
    "InversionScores",
    "Inversions",
    "LabelCount",
    "MethodFaithfulness",
    "PairAttribution",
    "ProbeScores",
    "Recovery",
    "Sample",
    "ScoreTable",
    "TaskScores",
]
