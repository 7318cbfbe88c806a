"""Probes: what can be read off vectors by a simple classifier."""

from workbench.probe._batched import BatchedLogistic
from workbench.probe._labelled import Labelled, labelled_by
from workbench.probe.amnesic import amnesic_check
from workbench.probe.directions import DIRECTIONS, find_direction
from workbench.probe.erasure import Eraser
from workbench.probe.layer_curve import layer_curve
from workbench.probe.run import run_probe, text_baseline
from workbench.probe.sparse_autoencoder import SparseCodes, TopKAutoencoder
from workbench.probe.sparse_features import sparse_features

__all__ = [
    "DIRECTIONS",
    "BatchedLogistic",
    "Eraser",
    "Labelled",
    "SparseCodes",
    "TopKAutoencoder",
    "amnesic_check",
    "find_direction",
    "labelled_by",
    "layer_curve",
    "run_probe",
    "sparse_features",
    "text_baseline",
]
