"""Integrated gradients of the cosine by captum, towards one fixed vector at a time"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float

from workbench.attribute._attributor import Directed, OpenAttributor
from workbench.attribute._contributions import Contributions, Level, merge
from workbench.attribute._path import ROWS, Path
from workbench.core.errors import BadInput

__all__ = ["IntegratedGradients"]

_NODES = 32


class IntegratedGradients(OpenAttributor):
    """One-sided (Sundararajan et al. 2017): the other vector stands still, so there is no pair matrix. Equals the row
    sums of the integrated Jacobian's bordered matrix."""

    name: ClassVar[str] = "integrated-gradients"

    def contribute(self, text: str, level: Level) -> Contributions:
        """There are none: each direction takes an integral of its own."""
        raise BadInput(
            f"{self.name} is one-sided, it gives no matrix of {text!r}; use integrated-jacobian for pairs of tokens"
        )

    def directed(self, text: str, direction: Float[np.ndarray, " d"], level: Level) -> Directed:
        """Each token's share by captum's Gauss-Legendre rule."""
        from captum.attr import IntegratedGradients as Captum

        path = Path(self._open, text, self.options.layer, self.options.reference)
        tensor = torch.from_numpy(direction).to(path.step)
        nodes = self.options.nodes or _NODES
        found = Captum(lambda states: path.vectors(states) @ tensor, multiply_by_inputs=True).attribute(
            path.end,
            path.start,
            n_steps=nodes,
            method="gausslegendre",
            internal_batch_size=max(1, ROWS // path.length),
        )
        values = found[0].sum(1).double().cpu().numpy()
        spans = path.batch.spans[0].cpu().numpy()
        wanted: Level = "token" if level == "auto" else level
        names, spans, merged = merge(text, path.batch.tokens[0], spans, values[:, None], wanted)
        border, score = (path.ends.double().cpu().numpy() @ direction).tolist()
        return Directed(names, spans, merged[:, 0], border, score, "gauss-legendre", nodes)
