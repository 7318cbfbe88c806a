"""Renewal: texts with words replaced by kin of theirs, so that a run that sees its texts often sees new ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.vectors import nearest_others, unit
from workbench.lm import Vocabulary
from workbench.lm.text_decoder import EOS

_KIN = 40
"""Words that may stand in a word's place: those whose embeddings are nearest."""
_REPLACED = (0.05, 0.3)
"""Share of a text's words that are replaced, between these."""


class Renewal:
    """Replaces words that are a single piece by other such words, so that a text keeps its length.

    Kin by a language model's word embeddings (`words`) mostly are of the same kind, so that what comes out reads much
    as people write: `the river rose` gives `the canal rose`. Its vector is another one, and known: it is embedded.
    """

    def __init__(self, vocabulary: Vocabulary, words: Float[Tensor, "v h"]) -> None:
        self._continues = vocabulary.continues
        self._whole = vocabulary.is_word & ~vocabulary.continues
        places = np.flatnonzero(self._whole)
        count = min(_KIN, len(places) - 1)
        self._kin = np.zeros((len(vocabulary), count), dtype=np.int64)
        self._kin[places] = places[nearest_others(unit(words.detach().float().cpu().numpy()[places]), count)]

    def __call__(self, ids: Int[np.ndarray, "n t"], random: np.random.Generator) -> Int[np.ndarray, "n t"]:
        """The texts with some of their words replaced; a text with a piece that nobody can spell stays as it is."""
        goes_on = np.zeros(ids.shape, dtype=bool)
        goes_on[:, :-1] = self._continues[ids[:, 1:]]
        share = random.uniform(*_REPLACED, (len(ids), 1))
        replaced = self._whole[ids] & ~goes_on & (random.random(ids.shape) < share)
        replaced &= (ids > EOS).all(1, keepdims=True)
        return np.where(replaced, self._kin[ids, random.integers(self._kin.shape[1], size=ids.shape)], ids)
