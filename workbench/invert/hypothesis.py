"""A small decoder conditioned on the vector writes hypotheses; the embedder picks the one that fits best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from workbench.core.access import Access
from workbench.core.errors import BadInput
from workbench.core.progress import progress
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import Attacker, Inverter
from workbench.invert._pool import Pool
from workbench.invert._writer import Writer, open_text_model
from workbench.lm import TextModel

__all__ = ["Hypothesis"]

_CHUNK = 64


class Hypothesis(Inverter):
    """vec2text's first stage (Morris et al. 2023), with a decoder-only model and re-ranking by re-embedding.

    `beams` hypotheses a vector are written and embedded, and the one of highest cosine is kept; `beams=1` is greedy.
    """

    name: ClassVar[str] = "hypothesis"
    needs: ClassVar[Access] = Access.QUERY

    def __init__(self, embedder: Embedder, model: TextModel, beams: int = 8) -> None:
        if beams < 1:
            raise BadInput(f"beams is {beams}; expected at least 1")
        self.embedder, self.dim = embedder.rough(), model.bag.weight.shape[0]
        self._writer, self._vocabulary, self._beams = Writer(model), model.vocabulary, beams

    @classmethod
    def open(cls, attacker: Attacker) -> Hypothesis:
        """Load the attacker's checkpoint."""
        return cls(attacker.embedder, open_text_model(attacker), attacker.beams or 8)

    def guess(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """The hypothesis of highest cosine for each vector."""
        found: list[str] = []
        with progress("invert", len(vectors), "vectors") as advance:
            for start in range(0, len(vectors), _CHUNK):
                chunk = vectors[start : start + _CHUNK]
                pool = Pool(self.embedder, self._vocabulary, chunk)
                pool.offer(range(len(chunk)), self._writer.hypotheses(chunk, self._beams))
                found += pool.texts()
                advance(len(chunk))
        return found

    def quick(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """The decoder's greedy text of each vector."""
        return self._writer.greedy(vectors)

    def hypotheses(self, vectors: Float[np.ndarray, "n d"]) -> list[list[str]]:
        """The distinct texts that the decoder finds most likely for each vector, best first."""
        written = self._writer.hypotheses(vectors, self._beams)
        return [list(dict.fromkeys(self._vocabulary.decode(pieces) for pieces in each)) for each in written]
