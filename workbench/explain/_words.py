"""What the model says, as the words that a result holds."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float

from workbench.results.explanations import UNCLEAR

YES_NO = re.compile(
    r"(is|are|was|were|does|do|did|has|have|had|can|could|will|would|should|am|may|might|must|isn't|aren't|don't|doesn't)\b",
    re.IGNORECASE,
)


def word(logs: Float[np.ndarray, " three"], chance: float) -> str:
    """`unclear` where the model holds that likelier than yes and no together."""
    if logs[2] > np.log(0.5):
        return UNCLEAR
    return "yes" if chance >= 0.5 else "no"


def cut(text: str) -> str:
    """A description's first line; an abstention is one word, however it goes on."""
    line = text.strip().partition("\n")[0].strip()
    return UNCLEAR if line.lower().rstrip(".! ").startswith(UNCLEAR) or not line else line
