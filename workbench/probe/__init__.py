"""Probes: what can be read off vectors by a simple classifier."""

from workbench.probe._batched import BatchedLogistic
from workbench.probe._labelled import Labelled, labelled_by
from workbench.probe.layer_curve import layer_curve
from workbench.probe.run import run_probe, text_baseline

__all__ = ["BatchedLogistic", "Labelled", "labelled_by", "layer_curve", "run_probe", "text_baseline"]
