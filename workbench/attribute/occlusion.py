"""Leave one out: how a vector moves when a piece is taken out of the text. Needs queries alone"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from workbench.attribute._attributor import Attributor
from workbench.attribute._contributions import Contributions, Level, pieces_of
from workbench.attribute._reading import shortened
from workbench.core.access import Access
from workbench.core.errors import BadInput
from workbench.embed._grad_embedder import GradEmbedder

__all__ = ["Occlusion"]


class Occlusion(Attributor):
    """P_i = g(a) - g(a without i). P_i . Q_j is then exactly the joint effect of leaving i out of a and j out of b.

    The reference is the vector of the empty text. Words overlap and help each other, so the sum is not the cosine; the
    error says by how much. The tokens of a black box are not known: there, a token is a word.
    """

    name: ClassVar[str] = "occlusion"
    needs: ClassVar[Access] = Access.QUERY
    merges: ClassVar[bool] = False

    def contribute(self, text: str, level: Level) -> Contributions:
        """One query a piece."""
        spans = self._spans(text, level)
        vectors = self.vectors([text, "", *(without(text, [span]) for span in spans)])
        return Contributions(
            text=text,
            names=tuple(text[start:end] for start, end in spans),
            spans=np.array(spans, dtype=np.int64).reshape(-1, 2),
            matrix=vectors[0] - vectors[2:],
            vector=vectors[0],
            reference=vectors[1],
        )

    def _spans(self, text: str, level: Level) -> list[tuple[int, int]]:
        """Those that the model reads at least the beginning of."""
        end = self.reading(text).end
        found = [span for span in self._all_spans(text, level) if span[0] < end]
        if not found:
            raise BadInput(f"the text {shortened(text)!r} has no {level} to leave out; expected at least one")
        return found

    def _all_spans(self, text: str, level: Level) -> list[tuple[int, int]]:
        if level == "token" and isinstance(self.embedder, GradEmbedder):
            spans = self.embedder.tokenise([text]).spans[0].tolist()
            return list(dict.fromkeys((start, end) for start, end in spans if end > start))
        return pieces_of(text, "word" if level == "token" else level)


def without(text: str, spans: list[tuple[int, int]]) -> str:
    """A text less some of its characters, with single spaces."""
    kept, last = [], 0
    for start, end in sorted(spans):
        kept.append(text[last:start])
        last = max(last, end)
    return " ".join("".join([*kept, text[last:]]).split())
