"""Which nodes an integral along the path takes: the fewest that a forecast from the path's own vectors allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial import chebyshev
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from workbench.attribute._path import Path

RULES = ("midpoint", "warped midpoint", "gauss-legendre")
_COUNTS = (*range(2, 17), 18, 20, 22, 24, 28, 32, 40, 48)
_DEGREES = (32, 64)
"""Of the interpolant: the second, whose places include those of the first, is taken where the first has not settled."""
_SETTLED = 5e-4
"""Most that the highest quarter of the coefficients of a settled interpolant may hold, as a length."""
_WARP = 0.3
"""How much closer the nodes of the warped rule lie at the middle of the path."""
FITTED = "fitted"
_MOST_FITTED, _REACH = 16, 12
"""Rules of so many nodes at most, and that miss at most so many times the tolerance, are fitted to a path."""
_AXES = 24
"""Dimensions of a curve that a fit looks at."""
_STAY, _UNITY = 0.02, 0.3
"""Weights of the two penalties of a fit."""
_MARGIN = 0.95
"""The forecast must stay below this share of the tolerance."""


@dataclass(frozen=True)
class Rule:
    """`name` with its nodes in 0 .. 1 and their weights, which sum to 1."""

    name: str
    nodes: Float[np.ndarray, " s"]
    weights: Float[np.ndarray, " s"]


@cache
def rule(name: str, count: int) -> Rule:
    """A rule of `count` nodes.

    From the token embeddings, where a text changes most in the middle of its path and hardly at its ends, the midpoint
    rule converges fastest, and in a variable that is slow in the middle (warped) faster still; from the middle layers
    on, Gauss-Legendre does.
    """
    if name.endswith("midpoint"):
        place, warp = (np.arange(count) + 0.5) / count, _WARP if name.startswith("warped") else 0.0
        turn = 2 * np.pi * place
        return Rule(name, place + warp * np.sin(turn) / (2 * np.pi), (1 + warp * np.cos(turn)) / count)
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return Rule(name, (nodes + 1) / 2, weights / 2)


END = Rule("end point", np.ones(1), np.ones(1))
"""The gradient at the text itself."""


class Forecast:
    """How far from complete any rule will be, from the vectors at 33 places of the path, or 65.

    A rule applied to the derivative of g along the path must give g(x) - g(r). The derivative is that of the Chebyshev
    interpolant, so no gradient is needed for the forecast: it costs that many forward passes of one text.
    """

    def __init__(self, path: Path) -> None:
        coarse, fine = _DEGREES
        angles = np.pi * np.arange(fine + 1) / fine
        vectors = np.empty((fine + 1, path.ends.shape[1]))
        vectors[::2] = _vectors(path, np.cos(angles[::2]))
        found = chebyshev.chebfit(np.cos(angles[::2]), vectors[::2], coarse)
        if np.linalg.norm(found[-coarse // 4 :]) > _SETTLED:
            vectors[1::2] = _vectors(path, np.cos(angles[1::2]))
            found = chebyshev.chebfit(np.cos(angles), vectors, fine)
        self._whole = (path.ends[1] - path.ends[0]).double().cpu().numpy()
        self._derivative = 2 * chebyshev.chebder(found)
        # the curve in the few dimensions that it moves in, for fitting
        places = np.linspace(-1, 1, 4 * fine + 1)
        axes = np.linalg.svd(chebyshev.chebval(places, self._derivative).T, full_matrices=False)[2][:_AXES]
        self._curve = CubicSpline((places + 1) / 2, chebyshev.chebval(places, self._derivative).T @ axes.T)
        self._bend = self._curve.derivative()
        self._goal = axes @ self._whole

    def error(self, rule: Rule) -> float:
        """Length of (sum of the contributions - what they should sum to)."""
        slopes = chebyshev.chebval(2 * rule.nodes - 1, self._derivative)  # d s
        return float(np.linalg.norm(slopes @ rule.weights - self._whole))

    def choose(self, tolerance: float) -> Rule | None:
        """The rule of fewest nodes that is predicted to keep the tolerance; None if none of up to 48 nodes is."""
        for count in _COUNTS:
            known = sorted((rule(name, count) for name in RULES), key=self.error)
            if self.error(known[0]) <= _MARGIN * tolerance:
                return known[0]
            if count <= _MOST_FITTED and self.error(known[0]) <= _REACH * tolerance:
                fitted = self._fitted(known[0])
                if self.error(fitted) <= _MARGIN * tolerance:
                    return fitted
        return None

    def _fitted(self, start: Rule) -> Rule:
        """Nodes and weights moved from those of a known rule so that the sum misses less (an empirical cubature).

        The penalties keep the rule near the known one and its weights near a sum of 1: it must also suit the single
        pieces, of which the sum says little.
        """
        count = len(start.nodes)

        def miss(both: np.ndarray) -> np.ndarray:
            nodes, weights = both[:count], both[count:]
            missed = weights @ self._curve(nodes) - self._goal
            near = _STAY * (both - begin)
            return np.concatenate([missed, [_UNITY * (weights.sum() - 1)], near])

        def slope(both: np.ndarray) -> np.ndarray:
            nodes, weights = both[:count], both[count:]
            first = np.concatenate([(self._bend(nodes) * weights[:, None]).T, self._curve(nodes).T], axis=1)
            unity = np.concatenate([np.zeros(count), np.full(count, _UNITY)])[None]
            return np.concatenate([first, unity, _STAY * np.eye(2 * count)])

        begin = np.concatenate([start.nodes, start.weights])
        found = least_squares(miss, begin, jac=cast(Any, slope), bounds=(0, 1), max_nfev=60).x
        return Rule(FITTED, found[:count], found[count:])


def _vectors(path: Path, places: Float[np.ndarray, " s"]) -> Float[np.ndarray, "s d"]:
    """Unit vectors at places of the path, -1 .. 1."""
    states = path.at(torch.from_numpy((places + 1) / 2))
    few = max(1, path.together // 4)  # without tangents, fewer states at once stay in the processor's cache
    with torch.no_grad():
        return torch.cat([path.vectors(part) for part in states.split(few)]).double().cpu().numpy()
