"""Words that stand in a few texts more than in all: what a neighbourhood is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Shaped

from workbench.core.text import unspaced, words

_SAMPLE = 5_000
"""Texts that tell how common a word is."""


class Keywords:
    """Keywords of some of the texts, by the count in them times the log of how rare a word is among all."""

    def __init__(self, texts: Shaped[np.ndarray, " n"]) -> None:
        self._texts = texts

    @cached_property
    def _common(self) -> tuple[Counter[str], int]:
        some = self._texts[:: -(-len(self._texts) // _SAMPLE)]
        return Counter(word for text in some for word in set(words(str(text)))), len(some)

    def of(self, rows: Sequence[Any], most: int = 6) -> list[str]:
        """The words that tell these rows from the rest, the best first; none that stands in over half of all texts."""
        common, n = self._common
        counts = Counter(word for row in rows for word in set(words(str(self._texts[row]))))
        scores = {
            word: count * np.log((n + 1) / (common[word] + 1))
            for word, count in counts.items()
            if count >= min(2, len(rows))
            and 2 * common[word] <= n
            and (len(word) > 2 or unspaced(word))
            and not word.isdigit()
        }
        return sorted(scores, key=lambda word: (-scores[word], word))[:most]
