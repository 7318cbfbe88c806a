"""Probes: what can be read off vectors by a simple classifier."""

from workbench.probe._batched import BatchedLogistic

__all__ = ["BatchedLogistic"]
