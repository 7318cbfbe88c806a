"""Integrated Jacobian: exact token and token-pair contributions to the cosine, by forward-mode differentiation"""

from __future__ import annotations

import logging
from typing import ClassVar

from workbench.attribute._adaptive import NAME as ADAPTIVE
from workbench.attribute._adaptive import adaptive
from workbench.attribute._attributor import OpenAttributor
from workbench.attribute._contributions import Contributions, Level
from workbench.attribute._jacobian import token_contributions
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
        """As few nodes as the forecast allows; where no rule will do, or the sum is off after all, adaptive panels."""
        path = Path(self._open, text, self.options.layer, self.options.reference)
        tolerance = self.options.tolerance / 2  # of a pair's error each text may make half
        if self.options.nodes:
            return integrated(path, rule("midpoint", self.options.nodes)).merged(level)
        taken = Forecast(path).choose(tolerance) or adaptive(path, tolerance)
        found = integrated(path, taken)
        if found.error > tolerance and taken.name != ADAPTIVE:
            found = integrated(path, adaptive(path, tolerance))
        if found.error > tolerance:
            log.warning("%d nodes leave an error of %.2g in %r", found.nodes, found.error, text)
        return found.merged(level)


def integrated(path: Path, taken: Rule) -> Contributions:
    """Contributions of one text by one rule."""
    return path.contributions(token_contributions(path, taken), taken.name, len(taken.nodes))
