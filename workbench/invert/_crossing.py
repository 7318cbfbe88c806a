"""Texts that begin as one of a vector's texts and end as another, and where words begin in texts of pieces."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from workbench.invert._pool import Pieces

_SHIFT = 2
"""Words by which the second text may be cut earlier or later than the first."""


def word_starts(text: Pieces, continues: Bool[np.ndarray, " v"]) -> list[int]:
    """The places at which words begin, and the end; `continues` says which pieces go on with a word."""
    return [i for i, piece in enumerate(text) if i == 0 or not continues[piece]] + [len(text)]


def crossed(
    first: Pieces, second: Pieces, continues: Bool[np.ndarray, " v"], longest: int, random: np.random.Generator
) -> Pieces:
    """The beginning of one text and the rest of another, both cut between words at about the same share of them."""
    a, b = word_starts(first, continues), word_starts(second, continues)
    cut = int(random.integers(len(a)))
    other = round(cut * (len(b) - 1) / max(len(a) - 1, 1)) + int(random.integers(-_SHIFT, _SHIFT + 1))
    return (*first[: a[cut]], *second[b[min(max(other, 0), len(b) - 1)] :])[:longest]
