"""Which nodes an integral along the path takes: the fewest that a forecast from the path's own vectors allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial import chebyshev

from workbench.attribute._path import ROWS, Path
from workbench.embed._torch import plain_attention

RULES = ("midpoint", "warped midpoint", "gauss-legendre")
_COUNTS = (*range(2, 17), 18, 20, 22, 24, 28, 32, 40, 48)
_DEGREE = 64
_WARP = 0.3
"""How much closer the nodes of the warped rule lie at the middle of the path."""
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
    """How far from complete any rule will be, from the vectors at 65 places of the path.

    A rule applied to the derivative of g along the path must give g(x) - g(r). The derivative is that of the Chebyshev
    interpolant, so no gradient is needed for the forecast: it costs 65 forward passes of one text.
    """

    def __init__(self, path: Path) -> None:
        places = np.cos(np.pi * np.arange(_DEGREE + 1) / _DEGREE)  # -1 .. 1
        states = path.at(torch.from_numpy((places + 1) / 2))
        with torch.no_grad(), plain_attention():
            chunk = max(1, ROWS // path.length)
            vectors = torch.cat([path.vectors(part) for part in states.split(chunk)]).double().cpu().numpy()
        self._derivative = 2 * chebyshev.chebder(chebyshev.chebfit(places, vectors, _DEGREE))
        self._whole = (path.ends[1] - path.ends[0]).double().cpu().numpy()

    def error(self, rule: Rule) -> float:
        """Length of (sum of the contributions - what they should sum to)."""
        slopes = chebyshev.chebval(2 * rule.nodes - 1, self._derivative)  # d s
        return float(np.linalg.norm(slopes @ rule.weights - self._whole))

    def choose(self, tolerance: float) -> Rule | None:
        """The rule of fewest nodes that is foretold to keep the tolerance; None if none of up to 48 nodes is."""
        for count in _COUNTS:
            for name in RULES:
                if self.error(rule(name, count)) <= _MARGIN * tolerance:
                    return rule(name, count)
        return None
