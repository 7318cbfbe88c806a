"""Drafts to learn correction from: a model's own fresh hypotheses, and texts that were damaged on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.embed._embedder import Embedder
from workbench.lm import Draft, TextDecoder, Vocabulary, generate
from workbench.lm.text_decoder import EOS

_OWN = 0.5
"""Share of a batch whose drafts are the model's own; the others are damaged targets, which cost no search."""


def drafts(
    decoder: TextDecoder,
    vocabulary: Vocabulary,
    embedder: Embedder,
    batches: Sequence[tuple[Float[np.ndarray, "_ d"], Int[np.ndarray, "_ _"], np.random.Generator]],
    device: str,
) -> list[Draft]:
    """A draft of each text of some batches (vectors, ids, what is drawn from), with its vector by the embedder that is
    attacked; all are written, and all are embedded, at once."""
    own = [random.random(len(ids)) < _OWN for _, ids, random in batches]
    rows = [[damaged(row, len(vocabulary), random) for row in ids] for _, ids, random in batches]
    asked = np.concatenate([vectors[mine] for (vectors, *_), mine in zip(batches, own, strict=True)])
    if len(asked):
        was = decoder.training
        found = iter(generate(decoder.eval(), torch.from_numpy(asked).to(device), beams=1))
        decoder.train(was)
        for written, mine in zip(rows, own, strict=True):
            for place in np.flatnonzero(mine):
                written[place] = list(next(found)[0].ids)
    again = embedder.embed([vocabulary.decode(row) for written in rows for row in written], "drafts")
    ends = pairwise(accumulate(map(len, rows), initial=0))
    return [Draft.of(written, again[start:end], device) for written, (start, end) in zip(rows, ends, strict=True)]


def damaged(row: Int[np.ndarray, " t"], size: int, random: np.random.Generator) -> list[int]:
    """A text with pieces lost, replaced at random and exchanged; at least one piece is left."""
    strength = random.uniform(0.05, 0.5)
    lost, replaced = random.random(len(row)) < 0.5 * strength, random.random(len(row)) < 0.7 * strength
    kept = np.where(replaced, random.integers(EOS + 1, size, len(row)), row)[~lost].tolist() or row[:1].tolist()
    for place in np.flatnonzero(random.random(len(kept) - 1) < 0.3 * strength):
        kept[place], kept[place + 1] = kept[place + 1], kept[place]
    return kept
