"""No inverter is trained: a language model proposes, a ridge regression on queried texts ranks, the embedder scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float

from workbench import assets
from workbench.core.access import Access
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.embed._torch import pick_device
from workbench.embed._vector_cache import cached_vectors
from workbench.invert._inverter import Attacker, Inverter
from workbench.invert.search import Search, preset_of
from workbench.lm import BagOfWords, TextModel, WordShifts, fit_bag_of_words, fit_word_shifts
from workbench.lm.plain import PlainDecoder
from workbench.lm.token_vocabulary import TokenVocabulary

__all__ = ["ZeroShot"]

_TOKENS = 8192
_LINES = 4
"""Public texts that the language model sees as its prompt."""
_CALIBRATED = 64
_MAX_TOKENS = 34


class ZeroShot(Inverter):
    """Inversion of any embedder that answers queries (the setting of ZSInvert, Zhang et al. 2025, and Zero2Text).

    The attacker embeds some public texts, once for all vectors. From them follow, in closed form, which words a vector
    speaks for and where a word moves a vector. A language model that was trained for something else writes hypotheses,
    its next words weighed by that evidence; then texts are edited as in `search`. How many public texts there are is
    the attacker's `corpus_texts`; what is asked for a vector, its `limits`.
    """

    name: ClassVar[str] = "zero-shot"
    needs: ClassVar[Access] = Access.QUERY

    def __init__(self, search: Search) -> None:
        self.embedder, self.dim = search.embedder, search.dim
        self._search = search

    @classmethod
    def open(cls, attacker: Attacker) -> ZeroShot:
        """Embed the public texts (or take their vectors from the cache) and fit what is closed-form."""
        preset = preset_of(attacker)
        public = corpora.load(attacker.corpus, "train", attacker.corpus_texts).texts
        vectors = unit(cached_vectors(attacker.embedder, public, what="embed the public corpus"))
        model = plain_model(vectors, public, attacker.language_model, pick_device(attacker.device))
        return cls(Search(attacker.embedder, model, preset, attacker.limits))

    def quick(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """The decoder's greedy text of each vector."""
        return self._search.quick(vectors)

    def rounds(self, vectors: Float[np.ndarray, "n d"]) -> Iterator[tuple[str, Sequence[str]]]:
        """Those of the search."""
        yield from self._search.rounds(vectors)


def plain_model(vectors: Float[np.ndarray, "n d"], texts: Sequence[str], language_model: str, device: str) -> TextModel:
    """A language model that leans on what n texts and their vectors (of unit length) say of words."""
    tokenizer, network, _ = assets.open_language_model(language_model)
    vocabulary = TokenVocabulary.of(tokenizer, texts, _TOKENS)
    pieces = vocabulary.encode(texts)
    held = min(_CALIBRATED, len(texts) // 4)
    kin = vocabulary.kin
    words, size = [kin[row] for row in pieces], int(kin.max()) + 1
    fitted = fit_bag_of_words(vectors[held:], words[held:], size)
    bag = BagOfWords(fitted.weight[:, kin], fitted.bias[kin], fitted.prior[kin], fitted.length)
    shifts = fit_word_shifts(vectors, words, size)
    decoder = PlainDecoder(tokenizer, network, vocabulary, texts[held : held + _LINES], _MAX_TOKENS).to(device).eval()
    decoder.set_bag_of_words(bag)
    shown = [row[:_MAX_TOKENS] for row in pieces[:held]]
    decoder.calibrate(torch.from_numpy(vectors[:held]).to(device), shown)
    return TextModel(decoder, bag, vocabulary, WordShifts(shifts.shift[kin], shifts.mean))
