"""A small decoder conditioned on the vector writes hypotheses; the embedder picks the one that fits best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.access import Access
from workbench.core.errors import BadInput
from workbench.core.progress import progress
from workbench.embed._embedder import Embedder
from workbench.embed._torch import pick_device
from workbench.invert._inverter import Attacker, Inverter, cosine
from workbench.lm import TextModel, generate

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
        self.embedder, self.dim = embedder, model.decoder.config.dim
        self._model, self._beams = model, beams
        self._banned = torch.from_numpy(np.flatnonzero(model.vocabulary.continues))

    @classmethod
    def open(cls, attacker: Attacker) -> Hypothesis:
        """Load the attacker's checkpoint."""
        folder, card = attacker.open_checkpoint()
        config: dict[str, Any] = dict(card.config)
        return cls(attacker.embedder, TextModel.load(folder, config, pick_device(attacker.device)), attacker.beams)

    def guess(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """The hypothesis of highest cosine for each vector."""
        found: list[str] = []
        with progress("invert", len(vectors), "vectors") as advance:
            for start in range(0, len(vectors), _CHUNK):
                chunk = vectors[start : start + _CHUNK]
                found += self._best(chunk, self.hypotheses(chunk))
                advance(len(chunk))
        return found

    def hypotheses(self, vectors: Float[np.ndarray, "n d"]) -> list[list[str]]:
        """The distinct texts that the decoder finds most likely for each vector, best first."""
        decoder, vocabulary = self._model.decoder, self._model.vocabulary
        device = decoder.bias.device
        stolen = torch.tensor(vectors, dtype=torch.float32, device=device)
        found = generate(decoder, stolen, self._beams, banned=self._banned.to(device))
        return [list(dict.fromkeys(vocabulary.decode(c.ids) for c in candidates)) for candidates in found]

    def _best(self, vectors: np.ndarray, candidates: list[list[str]]) -> list[str]:
        if self._beams == 1:
            return [texts[0] for texts in candidates]
        texts = [text for each in candidates for text in each]
        sizes = [len(each) for each in candidates]
        scores = cosine(np.repeat(vectors, sizes, axis=0), self.embedder.embed(texts, what="re-rank"))
        by_vector = np.split(scores, np.cumsum(sizes)[:-1])
        return [each[int(own.argmax())] for each, own in zip(candidates, by_vector, strict=True)]
