"""What a run learns, measured while it learns: loss, and greedy inversions beside their floors, on held-out text."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from workbench.embed._embedder import Embedder
from workbench.invert._inverter import cosine
from workbench.invert._score import sentence_bleu, token_f1
from workbench.invert.bag_of_words import BagOfWordsInverter
from workbench.invert.nearest import Nearest
from workbench.jobs._training_data import Pairs, Source
from workbench.lm import Draft, TextDecoder, TextModel, generate
from workbench.lm.text_decoder import EOS

_SHOWN = 64
"""Held-out texts that are inverted each time."""


def loss_of(
    decoder: torch.nn.Module, vectors: Float[np.ndarray, "n d"], ids: np.ndarray, draft: Draft | None, device: str
) -> Tensor:
    """Mean negative log-likelihood per piece, in nats, the end counted as a piece."""
    wanted = torch.from_numpy(ids).to(device)
    logits = decoder(torch.from_numpy(vectors).to(device), wanted, draft)
    return F.cross_entropy(logits.float().flatten(0, 1), F.pad(wanted, (0, 1), value=EOS).flatten())


@dataclass
class EarlyMetrics:
    """Held-out pairs, and the floors, which are measured once."""

    pairs: Pairs
    embedder: Embedder
    floors: dict[str, float] = field(default_factory=dict)

    def measure_floors(self, model: TextModel, train: list[Source]) -> None:
        """Nearest training text and bag of words on the same texts."""
        shown = self.pairs.texts[:_SHOWN]
        vectors = self.pairs.vectors[: len(shown)]
        known = [text for source in train for text in source.texts]
        nearest = Nearest(self.embedder, known, np.concatenate([source.vectors for source in train]))
        bag = BagOfWordsInverter(self.embedder, model.bag, model.vocabulary)
        for floor in (nearest, bag):
            guesses = list(floor.guess(vectors))
            self.floors[f"{floor.name}_f1"] = _mean(token_f1(guesses, shown))
            self.floors[f"{floor.name}_bleu"] = _mean(sentence_bleu(guesses, shown))

    def measure(self, model: TextModel, decoder: TextDecoder, device: str) -> tuple[dict[str, float], list[str]]:
        """Nats a piece, BLEU, token F1 and cosine of greedy inversions beside the floors; and a few of these texts."""
        was = decoder.training
        decoder.eval()
        shown = self.pairs.texts[:_SHOWN]
        vectors = self.pairs.vectors[: len(shown)]
        found = generate(decoder, torch.from_numpy(vectors).to(device), beams=1)
        guesses = [model.vocabulary.decode(candidates[0].ids) for candidates in found]
        metrics = {
            "validation_nats": round(self._nats(decoder, device), 4),
            "greedy_bleu": _mean(sentence_bleu(guesses, shown)),
            "greedy_f1": _mean(token_f1(guesses, shown)),
            "greedy_cosine": _mean(cosine(vectors, self.embedder.embed(guesses))),
            **self.floors,
        }
        decoder.train(was)
        return metrics, [f"{text}  =>  {guess}" for text, guess in zip(shown[:3], guesses, strict=False)]

    @torch.inference_mode()
    def _nats(self, decoder: TextDecoder, device: str) -> float:
        lengths = np.array([len(row) for row in self.pairs.ids])
        total, pieces = 0.0, 0
        for length in np.unique(lengths):
            batch = np.flatnonzero(lengths == length)
            ids = np.stack([self.pairs.ids[i] for i in batch])
            count = ids.size + len(ids)
            total += float(loss_of(decoder, self.pairs.vectors[batch], ids, None, device)) * count
            pieces += count
        return total / pieces


def _mean(values: np.ndarray) -> float:
    return round(float(np.mean(values)), 4)
