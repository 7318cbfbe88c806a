"""Static embedders alone: the integrated Jacobian as a formula, without any node"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from jaxtyping import Float

from workbench.attribute._attributor import Attributor, Options
from workbench.attribute._contributions import Contributions, Level
from workbench.attribute._path import Path
from workbench.core.errors import BadInput
from workbench.embed._embedder import Embedder
from workbench.embed.static import StaticEmbedder

__all__ = ["ClosedForm"]


class ClosedForm(Attributor):
    """A static embedder's vector is the mean of its tokens' rows, so only the norm bends the path, and its integral is
    known: what the integrated Jacobian tends to as nodes are added."""

    name: ClassVar[str] = "closed-form"

    def __init__(self, embedder: Embedder, options: Options | None = None) -> None:
        super().__init__(embedder, options)
        if not isinstance(embedder, StaticEmbedder):
            raise BadInput(f"{embedder.spec.name} is not a static embedder; use integrated-jacobian")
        self._open = embedder

    def contribute(self, text: str, level: Level) -> Contributions:
        """The mean integral of the norm's Jacobian, applied to each token's share of the step."""
        path = Path(self._open, text, 0, self.options.reference)
        start = path.start[0].double().cpu().numpy()
        step = path.step.double().cpu().numpy()
        shares = step / len(step)
        matrix = shares @ normalising(start.mean(0), shares.sum(0))
        return path.contributions(matrix, "closed form").merged(level)


def normalising(start: Float[np.ndarray, " d"], step: Float[np.ndarray, " d"]) -> Float[np.ndarray, "d d"]:
    """The integral over s in 0 .. 1 of the Jacobian of f / |f| at f = start + s step.

    Across the plane of the two it is c = integral of 1 / |f|. Within it, along the step's own direction e, it must give
    the change of f / |f|; along p, the part of `start` across e, integrals of 1 / |f|^3 and u / |f|^3 are elementary.
    """
    length = np.linalg.norm(step)
    if length == 0:
        norm = np.linalg.norm(start)
        return (np.eye(len(start)) - np.outer(start, start) / norm**2) / norm
    e = step / length
    first = start @ e
    across = start - first * e
    p, last = np.linalg.norm(across), first + length
    if p <= 1e-12 * max(abs(first), abs(last)):
        raise BadInput("the reference lies on the line through the text's vector; use another reference")
    norms = np.hypot(p, [first, last])
    c = (np.arcsinh(last / p) - np.arcsinh(first / p)) / length
    cube = (last / norms[1] - first / norms[0]) / (p**2 * length)
    slope = (1 / norms[0] - 1 / norms[1]) / length
    unit = across / p
    change = ((start + step) / norms[1] - start / norms[0]) / length
    out = c * (np.eye(len(start)) - np.outer(e, e) - np.outer(unit, unit))
    out += np.outer(change, e)
    out += np.outer(unit * (c - p**2 * cube) - e * p * slope, unit)
    return out.T
