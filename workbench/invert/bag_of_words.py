"""Closed-form list of the hidden words, most certain first: ridge regression, no training, no grammar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from workbench.core.access import Access
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import Attacker, Inverter
from workbench.lm import BagOfWords, Vocabulary, load_bag

__all__ = ["BagOfWordsInverter"]


class BagOfWordsInverter(Inverter):
    """Writes as many words as the vector's own length reading says, in order of their log-odds of presence."""

    name: ClassVar[str] = "bag-of-words"
    needs: ClassVar[Access] = Access.PAIRS

    def __init__(self, embedder: Embedder, bag: BagOfWords, vocabulary: Vocabulary) -> None:
        self.embedder, self.dim = embedder, bag.weight.shape[0]
        self._bag, self._vocabulary = bag, vocabulary

    @classmethod
    def open(cls, attacker: Attacker) -> BagOfWordsInverter:
        """Take the bag of words out of the attacker's checkpoint, where it was fitted on the training pairs."""
        folder, _ = attacker.open_checkpoint()
        return cls(attacker.embedder, *load_bag(folder))

    def guess(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """Words in order of log-odds, pieces that do not begin a word left out."""
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        odds = self._bag.prior + self._bag.evidence(unit)
        odds[:, ~self._vocabulary.is_word] = -np.inf
        counts = np.rint(self._bag.lengths(unit)).astype(int)
        order = np.argsort(-odds, axis=1)
        return [" ".join(self._vocabulary.pieces[i] for i in row[:k]) for row, k in zip(order, counts, strict=True)]
