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

_OWN = 0.4
"""Share of a batch whose drafts the model writes; the others are damaged targets, which cost no decoding."""
_TOLD = 0.6
"""Share of the written drafts for which the model is told most of the text's pieces: as a search leaves its texts."""
_KEPT = 0.85
"""Share of a text's pieces that are told."""
_HINT = (2.0, 8.0)
"""Nats by which they are made likelier, between these."""


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
    rows = [[damaged(row, vocabulary, random) for row in ids] for _, ids, random in batches]
    asked = np.concatenate([vectors[mine] for (vectors, *_), mine in zip(batches, own, strict=True)])
    if len(asked):
        hints = None
        if decoder.takes_hints:
            told = [
                _hints(ids[mine], len(vocabulary), random) for (_, ids, random), mine in zip(batches, own, strict=True)
            ]
            hints = torch.from_numpy(np.concatenate(told)).to(device)
        was = decoder.training
        found = iter(generate(decoder.eval(), torch.from_numpy(asked).to(device), beams=1, hints=hints))
        decoder.train(was)
        for written, mine in zip(rows, own, strict=True):
            for place in np.flatnonzero(mine):
                written[place] = list(next(found)[0].ids)
    again = embedder.embed([vocabulary.decode(row) for written in rows for row in written], "drafts")
    ends = pairwise(accumulate(map(len, rows), initial=0))
    return [Draft.of(written, again[start:end], device) for written, (start, end) in zip(rows, ends, strict=True)]


def _hints(ids: Int[np.ndarray, "n t"], size: int, random: np.random.Generator) -> Float[np.ndarray, "n v"]:
    """What the model is told of each text: most of its pieces, or nothing."""
    hints = np.zeros((len(ids), size), dtype=np.float32)
    told = random.random(len(ids)) < _TOLD
    for row, pieces in zip(np.flatnonzero(told), ids[told], strict=True):
        hints[row, pieces[random.random(len(pieces)) < _KEPT]] = random.uniform(*_HINT)
    return hints


def damaged(row: Int[np.ndarray, " t"], vocabulary: Vocabulary, random: np.random.Generator) -> list[int]:
    """A text with pieces lost, replaced at random and exchanged, and in half of the texts whole parts in another order
    as well; at least one piece is left."""
    strength = random.uniform(0.0, 0.5)
    if random.random() < 0.5:
        strength *= 0.5
        row = moved_parts(row, vocabulary, random)
    lost, replaced = random.random(len(row)) < 0.5 * strength, random.random(len(row)) < 0.7 * strength
    kept = (
        np.where(replaced, random.integers(EOS + 1, len(vocabulary), len(row)), row)[~lost].tolist() or row[:1].tolist()
    )
    for place in np.flatnonzero(random.random(len(kept) - 1) < 0.3 * strength):
        kept[place], kept[place + 1] = kept[place + 1], kept[place]
    return kept


def moved_parts(
    row: Int[np.ndarray, " t"], vocabulary: Vocabulary, random: np.random.Generator
) -> Int[np.ndarray, " t"]:
    """One to three times two neighbouring runs of words in each other's place."""
    for _ in range(random.integers(1, 4)):
        starts = [0, *(np.flatnonzero(~vocabulary.continues[row[1:]]) + 1).tolist(), len(row)]
        a, b, c = np.sort(random.choice(starts, 3))
        row = np.concatenate([row[:a], row[b:c], row[a:b], row[c:]])
    return row
