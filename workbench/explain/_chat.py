"""Chat: questions to one vector, one after the other, with what was said so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.results.explanations import Explanation

if TYPE_CHECKING:
    import numpy as np

    from workbench.explain._explainer import Explainer


@dataclass
class Chat:
    """A talk about one vector. Each question is answered from the vector alone: the model was not taught to go by its
    own former answers, which it may have made up."""

    explainer: Explainer
    vector: np.ndarray
    turns: list[Explanation] = field(default_factory=list)

    def say(self, question: str) -> Explanation:
        """Ask; the answer stands in the last of `turns` too."""
        self.turns.append(self.explainer.answer(self.vector, question))
        return self.turns[-1]
