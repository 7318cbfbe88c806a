"""Dot products of the last layer's token states, as late interaction has them; a baseline"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from workbench.attribute._attributor import OpenAttributor
from workbench.attribute._contributions import Contributions, Level
from workbench.core.errors import BadInput

__all__ = ["TokenDot"]


class TokenDot(OpenAttributor):
    """The unit vector read as the mean of the last token states. Exact where the model pools by mean and nothing
    follows; elsewhere the error tells how far this reading is off. A state has read the whole text, so the row of a
    token is not that token's own doing."""

    name: ClassVar[str] = "token-dot"

    def contribute(self, text: str, level: Level) -> Contributions:
        """Each state's share of the mean, brought to the mean's length."""
        batch = self._open.tokenise([text])
        with torch.no_grad():
            states = self._open.states(batch.features, self._open.layers)[0].double().cpu().numpy()
        vector = self.vectors([text])[0]
        if states.shape[1] != len(vector):
            raise BadInput(
                f"{self.embedder.spec.name} has token states of {states.shape[1]} dimensions but vectors of "
                f"{len(vector)}; token-dot compares them, so use integrated-jacobian"
            )
        shares = states / np.linalg.norm(states.sum(0))
        spans = batch.spans[0].cpu().numpy()
        reference = np.zeros_like(vector)
        return Contributions(text, batch.tokens[0], spans, shares, vector, reference).merged(level)
