"""Drafts to learn correction from: a model's own fresh hypotheses, and texts that were damaged on purpose."""

from __future__ import annotations

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
    vectors: Float[np.ndarray, "n d"],
    ids: Int[np.ndarray, "n t"],
    random: np.random.Generator,
    device: str,
) -> Draft:
    """One draft for each text, with its vector by the embedder that is attacked."""
    own = random.random(len(ids)) < _OWN
    rows = [damaged(row, len(vocabulary), random) for row in ids]
    if own.any():
        was = decoder.training
        found = generate(decoder.eval(), torch.from_numpy(vectors[own]).to(device), beams=1)
        decoder.train(was)
        for place, candidates in zip(np.flatnonzero(own), found, strict=True):
            rows[place] = list(candidates[0].ids)
    texts = [vocabulary.decode(row) for row in rows]
    return Draft.of(rows, embedder.embed(texts), device)


def damaged(row: Int[np.ndarray, " t"], size: int, random: np.random.Generator) -> list[int]:
    """A text with pieces lost, replaced at random and exchanged; at least one piece is left."""
    ids = row.tolist()
    strength = random.uniform(0.05, 0.5)
    kept = [id for id in ids if random.random() > 0.5 * strength] or ids[:1]
    for place in range(len(kept)):
        if random.random() < 0.7 * strength:
            kept[place] = int(random.integers(EOS + 1, size))
    for place in range(len(kept) - 1):
        if random.random() < 0.3 * strength:
            kept[place], kept[place + 1] = kept[place + 1], kept[place]
    return kept
