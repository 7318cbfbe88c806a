"""Integrated Jacobian: exact token and token-pair contributions to the cosine, by forward-mode differentiation"""

from __future__ import annotations

import logging
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from workbench.attribute._adaptive import NAME as ADAPTIVE
from workbench.attribute._adaptive import adaptive
from workbench.attribute._attributor import AUTO, Directed, OpenAttributor
from workbench.attribute._contributions import Contributions, Level, grouped, merge
from workbench.attribute._jacobian import directed_contributions, piece_contributions
from workbench.attribute._path import Path
from workbench.attribute._quadrature import Forecast, Rule, rule

__all__ = ["IntegratedJacobian"]

log = logging.getLogger(__name__)


class IntegratedJacobian(OpenAttributor):
    """P_i = integral over the path of J(h) (x_i - r_i), J the Jacobian of the unit vector (Moeller et al. 2023, 2024).

    With the reference's vector as border, sums to the cosine for any model as it is. The published method builds J
    whole, with a backward pass a dimension; here each token takes a forward-mode product instead.
    """

    name: ClassVar[str] = "integrated-jacobian"

    def contribute(self, text: str, level: Level) -> Contributions:
        """As few nodes as the forecast allows; where no rule will do, or the sum is off after all, adaptive panels.

        The rule alone may miss each text's sum by the tolerance. What it misses is known, is shared out over the
        pieces, so that the sum is complete, and stays on view as the completeness error. A number of nodes in the
        options is a plain midpoint rule.
        """
        path = Path(self._open, text, self.options.layer, self.options.reference)
        if self.options.nodes:
            return integrated(path, rule("midpoint", self.options.nodes), level)
        allowed = self.options.tolerance
        taken = Forecast(path).choose(allowed) or adaptive(path, allowed)
        found = integrated(path, taken, level, share_out=True)
        if _length(found) > allowed and taken.name != ADAPTIVE:
            found = integrated(path, adaptive(path, allowed), level, share_out=True)
        if _length(found) > allowed:
            log.warning("%d nodes miss %.2g of the sum in %r", found.nodes, _length(found), text)
        return found

    def directed(self, text: str, direction: Float[np.ndarray, " d"], level: Level) -> Directed:
        """Of a long text, one vector-Jacobian product a node gives every token's part towards one direction; the
        matrix, which serves all directions, would take one a token."""
        reading = self.reading(text)
        known = (text, self.level_for([text], level)) in self._memo
        if known or level in ("phrase", "sentence") or reading.tokens - reading.tokens_cut <= AUTO:
            return super().directed(text, direction, level)
        path = Path(self._open, text, self.options.layer, self.options.reference)
        allowed = self.options.tolerance / 2
        taken = rule("midpoint", self.options.nodes) if self.options.nodes else Forecast(path).choose(allowed)
        taken = taken or adaptive(path, allowed)
        values = directed_contributions(path, taken, direction[None])
        spans = path.batch.spans[0].cpu().numpy()
        wanted: Level = "token" if level == "auto" else level
        names, spans, merged = merge(text, path.batch.tokens[0], spans, values, wanted)
        border, score = (path.ends.double().cpu().numpy() @ direction).tolist()
        return Directed(names, spans, merged[:, 0], border, score, taken.name, len(taken.nodes))


def integrated(path: Path, taken: Rule, level: Level = "token", share_out: bool = False) -> Contributions:
    """Contributions of one text's pieces by one rule; a piece costs as much as a token."""
    spans = path.batch.spans[0].cpu().numpy()
    gives = (spans[:, 1] > spans[:, 0]) | (path.step.abs().amax(1) > 0).cpu().numpy()
    found = grouped(path.text, path.batch.tokens[0], spans, gives, level)
    matrix, missed = piece_contributions(path, taken, found.members, share_out)
    start, end = path.ends.double().cpu().numpy()
    shared = missed if share_out else None
    return Contributions(path.text, found.names, found.spans, matrix, end, start, taken.name, len(taken.nodes), shared)


def _length(found: Contributions) -> float:
    return 0.0 if found.missed is None else float(np.linalg.norm(found.missed))
