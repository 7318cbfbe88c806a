"""Result types: frozen dataclasses that render, save and load themselves."""

from workbench.results.attribution import Attribution, HitAttributions, PairAttribution
from workbench.results.audit_result import AuditResult, Control, Recovery
from workbench.results.augmentation import Augmentation, LabelCount, Sample
from workbench.results.direction import Direction, RandomTest
from workbench.results.embedder_comparison import EmbedderComparison, EmbedderScores
from workbench.results.erasure import AmnesicCheck, Cost, Kept, Reading
from workbench.results.explainer_scores import (
    Abstention,
    Beaten,
    Counterfactual,
    DescriptionScores,
    DomainScores,
    ExplainerScores,
    QuestionScores,
)
from workbench.results.explanations import Claim, Explanation, Explanations
from workbench.results.faithfulness import Faithfulness, MethodFaithfulness
from workbench.results.fingerprint import Fingerprint, Suspect
from workbench.results.inversions import Inversions
from workbench.results.probe_scores import Gain, ProbeScores, TaskScores
from workbench.results.scores import InversionScores, ScoreTable
from workbench.results.sparse_features import Reconstruction, SparseFeature, SparseFeatures

__all__ = [
    "Abstention",
    "AmnesicCheck",
    "Attribution",
    "AuditResult",
    "Augmentation",
    "Beaten",
    "Claim",
    "Control",
    "Cost",
    "Counterfactual",
    "DescriptionScores",
    "Direction",
    "DomainScores",
    "EmbedderComparison",
    "EmbedderScores",
    "ExplainerScores",
    "Explanation",
    "Explanations",
    "Faithfulness",
    "Fingerprint",
    "Gain",
    "HitAttributions",
    "InversionScores",
    "Inversions",
    "Kept",
    "LabelCount",
    "MethodFaithfulness",
    "PairAttribution",
    "ProbeScores",
    "QuestionScores",
    "RandomTest",
    "Reading",
    "Reconstruction",
    "Recovery",
    "Sample",
    "ScoreTable",
    "SparseFeature",
    "SparseFeatures",
    "Suspect",
    "TaskScores",
]
