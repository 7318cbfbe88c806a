"""Result types: frozen dataclasses that render, save and load themselves."""

from workbench.results.attribute_inference import AttributeInference, AttributeScores
from workbench.results.attribution import Attribution, HitAttributions, PairAttribution
from workbench.results.audit_diff import AuditDiff, Change
from workbench.results.audit_parts import Control, Finding, GroupScores, Persons, Recovery
from workbench.results.audit_result import AuditResult
from workbench.results.augmentation import Augmentation, LabelCount, Sample
from workbench.results.clusters import CentroidName, Cluster, Clusters
from workbench.results.defences import Attack, DefenceRow, DefenceScores
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
from workbench.results.geometry import Geometry, Measured, Outlier, Spectrum
from workbench.results.interpretation import ChosenPair, Interpretation
from workbench.results.inversions import Inversions
from workbench.results.membership import AttackRates, Membership, Rate
from workbench.results.payload import Payload
from workbench.results.probe_scores import Gain, ProbeScores, TaskScores
from workbench.results.scores import InversionScores, ScoreTable
from workbench.results.sparse_features import Reconstruction, SparseFeature, SparseFeatures

__all__ = [
    "Abstention",
    "AmnesicCheck",
    "Attack",
    "AttackRates",
    "AttributeInference",
    "AttributeScores",
    "Attribution",
    "AuditDiff",
    "AuditResult",
    "Augmentation",
    "Beaten",
    "CentroidName",
    "Change",
    "ChosenPair",
    "Claim",
    "Cluster",
    "Clusters",
    "Control",
    "Cost",
    "Counterfactual",
    "DefenceRow",
    "DefenceScores",
    "DescriptionScores",
    "Direction",
    "DomainScores",
    "EmbedderComparison",
    "EmbedderScores",
    "ExplainerScores",
    "Explanation",
    "Explanations",
    "Faithfulness",
    "Finding",
    "Fingerprint",
    "Gain",
    "Geometry",
    "GroupScores",
    "HitAttributions",
    "Interpretation",
    "InversionScores",
    "Inversions",
    "Kept",
    "LabelCount",
    "Measured",
    "Membership",
    "MethodFaithfulness",
    "Outlier",
    "PairAttribution",
    "Payload",
    "Persons",
    "ProbeScores",
    "QuestionScores",
    "RandomTest",
    "Rate",
    "Reading",
    "Reconstruction",
    "Recovery",
    "Sample",
    "ScoreTable",
    "SparseFeature",
    "SparseFeatures",
    "Spectrum",
    "Suspect",
    "TaskScores",
]
