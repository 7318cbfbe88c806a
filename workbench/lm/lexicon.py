"""Words that a vocabulary spells in several pieces, and where each of them moves a vector."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import BadInput
from workbench.core.vectors import unit
from workbench.lm.text_decoder import EOS
from workbench.lm.vocabulary import Vocabulary
from workbench.lm.word_shifts import WordShifts

LEAST = 5
"""Texts in which a word must stand to be known."""
_LONGEST = 6
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEWEST = 50
"""Words of one piece from which it can be told how a word's own vector tells its shift."""
_PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Lexicon:
    """Words of two pieces or more, with shifts as `WordShifts` has them for pieces.

    The shifts of a rare word's pieces do not add up to the word's: `irri` and `##tates` stand in other words too. Its
    own vector tells it, by a linear map that is fitted on the words of one piece, whose shifts are known.
    """

    words: tuple[tuple[int, ...], ...]
    shift: Float[np.ndarray, "w d"]

    def __len__(self) -> int:
        return len(self.words)


def known_words(texts: Iterable[str], lower: bool, least: int = LEAST) -> list[str]:
    """Words, of letters alone, that stand in `least` of the texts or more: the most frequent first, then by name."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_WORD.findall(text.lower() if lower else text)))
    ranked = sorted((-count, word) for word, count in counts.items() if count >= least)
    return [word for _, word in ranked]


def fit_lexicon(
    vocabulary: Vocabulary, shifts: WordShifts, words: Sequence[str], vectors: Float[np.ndarray, "n d"]
) -> Lexicon:
    """From n words, each embedded by itself. Empty where too few of them have one piece."""
    from sklearn.linear_model import RidgeCV

    if len(vectors) != len(words):
        raise BadInput(f"vectors has {len(vectors)} rows but there are {len(words)} words")
    pieces = [tuple(row) for row in vocabulary.encode(words)]
    single = [place for place, row in enumerate(pieces) if len(row) == 1 and row[0] > EOS]
    several = [place for place, row in enumerate(pieces) if _spelt(row, vocabulary)]
    if len(single) < _FEWEST or not several:
        return Lexicon((), np.empty((0, shifts.shift.shape[1]), np.float32))
    directions = unit(vectors)
    told = RidgeCV(_PENALTIES).fit(directions[single], shifts.shift[[pieces[place][0] for place in single]])
    found = told.predict(directions[several]).astype(np.float32)
    return Lexicon(tuple(pieces[place] for place in several), found)


def _spelt(row: Sequence[int] | Int[np.ndarray, " _"], vocabulary: Vocabulary) -> bool:
    """Whether pieces spell one word."""
    rest = list(row)[1:]
    return 0 < len(rest) < _LONGEST and min(row) > EOS and bool(vocabulary.continues[rest].all())
