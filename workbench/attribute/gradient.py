"""Gradient times difference from the reference, at the text itself: one node, no integral; a baseline"""

from __future__ import annotations

from typing import ClassVar

from workbench.attribute._attributor import OpenAttributor
from workbench.attribute._contributions import Contributions, Level
from workbench.attribute._path import Path
from workbench.attribute._quadrature import END
from workbench.attribute.integrated_jacobian import integrated

__all__ = ["Gradient"]


class Gradient(OpenAttributor):
    """J(x) (x_i - r_i): what the first order at the text says. Its sum is not the cosine, and the error says by how
    much."""

    name: ClassVar[str] = "gradient"

    def contribute(self, text: str, level: Level) -> Contributions:
        """One Jacobian-vector product a token."""
        path = Path(self._open, text, self.options.layer, self.options.reference)
        return integrated(path, END, level)
