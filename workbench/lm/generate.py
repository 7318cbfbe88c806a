"""Texts of vectors by beam search, in batches that fit in memory, for any TextDecoder."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.lm.text_decoder import Candidate, Draft, TextDecoder

_ROWS, _ROWS_ON_GPU = 512, 8192
"""Most beams that are alive in one batch."""


@torch.inference_mode()
def generate(
    decoder: TextDecoder,
    vectors: Float[Tensor, "n d"],
    beams: int = 4,
    max_tokens: int | None = None,
    banned: Int[Tensor, " k"] | None = None,
    draft: Draft | None = None,
    hints: Float[Tensor, "n v"] | None = None,
) -> list[list[Candidate]]:
    """For each vector its `beams` best texts by log-probability per piece, best first; `beams=1` is greedy.

    `banned` pieces may not begin a text (word continuations). Texts longer than `max_tokens` are cut there. With a
    `draft` of each vector the texts are rewritten drafts. `hints` are added to the evidence for each piece, in nats;
    a piece that is written loses its hint.
    """
    limit = min(max_tokens or decoder.max_tokens, decoder.max_tokens)
    out: list[list[Candidate]] = []
    size = max(1, (_ROWS_ON_GPU if vectors.is_cuda else _ROWS) // beams)
    for start in range(0, len(vectors), size):
        rows = slice(start, start + size)
        told = None if hints is None else hints[rows]
        out += decoder.beams(vectors[rows], beams, limit, banned, draft.take(rows) if draft else None, told)
    return out
