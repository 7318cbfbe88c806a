"""Probes: what can be read off vectors by a simple classifier. Public names are loaded when they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.lazy import public_names

if TYPE_CHECKING:
    from workbench.probe._batched import BatchedLogistic
    from workbench.probe._labelled import Labelled, labelled_by
    from workbench.probe._layer_curve import layer_curve
    from workbench.probe._sparse_features import sparse_features
    from workbench.probe.amnesic import amnesic_check
    from workbench.probe.directions import DIRECTIONS, find_direction
    from workbench.probe.erasure import Eraser
    from workbench.probe.run import run_probe, text_baseline
    from workbench.probe.sparse_autoencoder import SparseCodes, TopKAutoencoder

_HOMES = {
    "DIRECTIONS": "workbench.probe.directions",
    "BatchedLogistic": "workbench.probe._batched",
    "Eraser": "workbench.probe.erasure",
    "Labelled": "workbench.probe._labelled",
    "SparseCodes": "workbench.probe.sparse_autoencoder",
    "TopKAutoencoder": "workbench.probe.sparse_autoencoder",
    "amnesic_check": "workbench.probe.amnesic",
    "find_direction": "workbench.probe.directions",
    "labelled_by": "workbench.probe._labelled",
    "layer_curve": "workbench.probe._layer_curve",
    "run_probe": "workbench.probe.run",
    "sparse_features": "workbench.probe._sparse_features",
    "text_baseline": "workbench.probe.run",
}

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

__getattr__, __dir__ = public_names(__name__, _HOMES)
