"""Which words of two texts a cosine comes from: partners, grid, sum, and what happens when a word is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import traitlets
from jaxtyping import Int

from workbench.core.blocks import Block
from workbench.core.errors import BadInput
from workbench.results import PairAttribution as Pair
from workbench.widgets._widget import Widget, require

TOLERATED = 0.05
"""A completeness error above this is shown as a warning, as the result's own page does."""


class PairAttribution(Widget):
    """A `PairAttribution` result to point at: a word's partners on hover or focus, a grid or lines, the sum in steps.

    "Delete" says what the cosine would be without a word: foretold from the matrix (all that the word gives is taken
    away), and true where `rescore(text_a, text_b)` is handed over, which embeds the shortened text anew and returns
    its cosine. Both are cosines, without unit. The completeness error, what the matrix does not account for, stands
    beside the score.
    """

    _script = "pair_attribution.js"
    view = traitlets.Enum(("lines", "grid"), "lines").tag(sync=True)
    """How pairs are drawn."""
    word = traitlets.Unicode().tag(sync=True)
    """The deleted word, `a` or `b` and its place, for instance `a3`; empty if none is."""

    def __init__(
        self,
        attribution: Pair,
        rescore: Callable[[str, str], float] | None = None,
        title: str = "Which words this cosine comes from",
    ) -> None:
        super().__init__()
        self.answers(delete=rescore and (lambda word: self._rescored(rescore, word)))
        with self.filling() as content:
            require(attribution, Pair, "attribution")
            if not np.isfinite(attribution.matrix).all():
                raise BadInput("matrix holds a number that is not finite; expected a share of the cosine a pair")
            self._pair = attribution
            rest = attribution.score - float(attribution.matrix.sum())
            content.update(
                title=title,
                about=f"{attribution.method}, {attribution.embedder}, reference {attribution.reference!r}",
                tokens=[list(attribution.tokens_a), list(attribution.tokens_b)],
                spaces=[_spaces(attribution.spans_a), _spaces(attribution.spans_b)],
                matrix=attribution.matrix,
                score=attribution.score,
                error=attribution.completeness_error,
                tolerated=TOLERATED,
                rule=f"{attribution.rule}, {attribution.nodes} nodes" if attribution.nodes else attribution.rule,
                parts=[*attribution.parts(), ("not accounted for", rest)],
            )

    def requests(self) -> Iterator[tuple[str, Any]]:
        """Every word of both texts."""
        for side, tokens in (("a", self._pair.tokens_a), ("b", self._pair.tokens_b)):
            yield from (("delete", f"{side}{place}") for place in range(len(tokens)))

    def blocks(self) -> tuple[Block, ...]:
        """Those of the result."""
        return self._pair.blocks()

    def _rescored(self, rescore: Callable[[str, str], float], word: Any) -> float:
        texts = {"a": self._pair.text_a, "b": self._pair.text_b}
        side, place = _place(word, len(self._pair.tokens_a), len(self._pair.tokens_b))
        start, end = (self._pair.spans_a if side == "a" else self._pair.spans_b)[place].tolist()
        texts[side] = " ".join((texts[side][:start] + " " + texts[side][end:]).split())
        if not texts[side]:
            raise BadInput("nothing is left of the text without its only word")
        score = rescore(texts["a"], texts["b"])
        if not isinstance(score, int | float | np.floating) or not np.isfinite(score):
            raise BadInput(f"rescore returned {score!r}; expected the cosine of the two texts")
        return float(score)


def _place(word: Any, a: int, b: int) -> tuple[str, int]:
    if isinstance(word, str) and word[:1] in ("a", "b") and word[1:].isdecimal():
        side, place = word[0], int(word[1:])
        if place < (a if side == "a" else b):
            return side, place
    raise BadInput(f"no word is called {word!r}; expected a0 to a{a - 1} or b0 to b{b - 1}")


def _spaces(spans: Int[np.ndarray, "n 2"]) -> list[bool]:
    """Whether a space stands before each piece; one without a place in the text stands apart."""
    before = [-1, *spans[:-1, 1].tolist()]
    return [not (start < end and start == last) for (start, end), last in zip(spans.tolist(), before, strict=True)]
