"""Nodes where the path bends: for models whose vector jumps on its way from the reference to the text."""

from __future__ import annotations

import numpy as np
import torch

from workbench.attribute._path import Path
from workbench.attribute._quadrature import Rule
from workbench.embed._torch import plain_attention

NAME = "adaptive gauss-legendre"
_PANEL = 4
"""Nodes of a panel."""
_FIRST = 8
"""Panels to begin with."""


def adaptive(path: Path, tolerance: float, most: int = 512) -> Rule:
    """A composite rule: panels are halved where they miss what is known of them, until their sum keeps the tolerance.

    Along the whole step the integral over a panel is the difference of the vectors at its ends, so the error of every
    panel is measured, at the cost of one Jacobian-vector product a node. Ends at the tolerance or at `most` nodes.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_PANEL)
    ends = np.linspace(0, 1, _FIRST + 1)
    lows, highs = ends[:-1], ends[1:]
    errors = _errors(path, lows, highs, nodes, weights)
    while np.linalg.norm(errors.sum(0)) > tolerance and (len(lows) + 1) * _PANEL <= most:
        sizes = np.linalg.norm(errors, axis=1)
        room = most // _PANEL - len(lows)
        split = np.flatnonzero(sizes >= 0.3 * sizes.max())[:room]
        middle = (lows[split] + highs[split]) / 2
        new_lows, new_highs = np.concatenate([lows[split], middle]), np.concatenate([middle, highs[split]])
        new = _errors(path, new_lows, new_highs, nodes, weights)
        kept = np.setdiff1d(np.arange(len(lows)), split)
        lows, highs = np.concatenate([lows[kept], new_lows]), np.concatenate([highs[kept], new_highs])
        errors = np.concatenate([errors[kept], new])
    half = (highs - lows)[:, None] / 2
    places = (lows + highs)[:, None] / 2 + half * nodes
    return Rule(NAME, places.ravel(), (half * weights).ravel())


def _errors(path: Path, lows: np.ndarray, highs: np.ndarray, nodes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What each panel's sum misses the difference of its ends' vectors by, p d."""
    half = (highs - lows)[:, None] / 2
    places = torch.from_numpy(((lows + highs)[:, None] / 2 + half * nodes).ravel())
    chunk = max(1, path.together // 2)
    with torch.no_grad(), plain_attention():
        ends = torch.cat([path.vectors(path.at(part)) for part in torch.from_numpy(np.r_[lows, highs]).split(chunk)])
        slopes = []
        for part in places.split(chunk):
            states = path.at(part)
            slopes.append(path.slopes(states, path.step))
    moved = torch.cat(slopes).double().cpu().numpy().reshape(len(lows), len(nodes), -1)
    low, high = ends.double().cpu().numpy().reshape(2, len(lows), -1)
    return np.einsum("pkd,k->pd", moved, weights) * half - (high - low)
