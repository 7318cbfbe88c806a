"""With the embedder's weights: gradients guide edits of any other inverter's texts, as the last stage of an attack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from workbench.core.access import Access
from workbench.core.errors import BadInput
from workbench.invert import open_inverter
from workbench.invert._inverter import Attacker, Inverter
from workbench.invert.search import Search

__all__ = ["WhiteBox"]


class WhiteBox(Inverter):
    """Gradient-guided search over pieces (HotFlip, Ebrahimi et al. 2018; GCG, Zou et al. 2023) from the texts of the
    inverter `through`.

    Replacements are foretold by one backward pass of the embedder a text and by the closed-form word shifts together,
    which rank better than either; the embedder is asked for the best of them, and the best text is kept.
    """

    name: ClassVar[str] = "white-box"
    needs: ClassVar[Access] = Access.WEIGHTS

    def __init__(self, start: Inverter, search: Search) -> None:
        if start.dim != search.dim:
            raise BadInput(f"{start.name} reads {start.dim} dimensions, the search {search.dim}; expected the same")
        self.embedder, self.dim = search.embedder, search.dim
        self._start, self._search = start, search

    @classmethod
    def open(cls, attacker: Attacker) -> WhiteBox:
        """The inverter that begins, and a search that follows gradients."""
        if attacker.through == cls.name:
            raise BadInput(f"{cls.name} cannot begin with itself; go through hypothesis, correction or search")
        return cls(open_inverter(attacker.through, attacker), Search.open(attacker))

    def quick(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """That of the inverter that begins."""
        return self._start.quick(vectors)

    def rounds(self, vectors: Float[np.ndarray, "n d"]) -> Iterator[tuple[str, Sequence[str]]]:
        """Those of the inverter that begins, then rounds of edits while any vector still gains."""
        texts: Sequence[str] = ()
        for stage, texts in self._start.rounds(vectors):
            yield stage, texts
        for stage, found in self._search.rounds_from(vectors, texts):
            yield f"gradients, {stage}", found
