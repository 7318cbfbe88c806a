"""Words of a text with the weights that a feature or a cluster gives them."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.marks import Weighted
from workbench.core.text import word_pieces, words


def weighted_words(text: str, weights: Mapping[str, float]) -> tuple[Weighted, ...]:
    """Pieces of `text` between blanks, and letters of scripts that set none, each with its largest weight."""
    return tuple(
        Weighted(piece, max((weights.get(word, 0.0) for word in words(piece)), default=0.0), space=not place)
        for chunk in text.split()
        for place, piece in enumerate(word_pieces(chunk))
    )
