"""Beam search over a LeaningDecoder, many texts at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.lm.text_decoder import EOS, PAD, UNK, Candidate, Draft

if TYPE_CHECKING:
    from workbench.lm._leaning import LeaningDecoder


@dataclass
class _Finished:
    """The best finished texts of one vector so far."""

    room: int
    best: list[Candidate] = field(default_factory=list)

    def add(self, ids: tuple[int, ...], log_probability: float) -> None:
        self.best.append(Candidate(ids, log_probability / (len(ids) + 1)))
        self.best.sort(key=lambda candidate: -candidate.score)
        del self.best[self.room :]

    def closed_to(self, score: float) -> bool:
        """Whether no text with at most this score per piece can enter."""
        return len(self.best) == self.room and self.best[-1].score >= score


def beam_search(
    decoder: LeaningDecoder,
    vectors: Tensor,
    beams: int,
    limit: int,
    banned: Tensor | None,
    draft: Draft | None,
    hints: Tensor | None,
) -> list[list[Candidate]]:
    """The `beams` best finished texts of each vector; all beams of all vectors advance together."""
    device, n = vectors.device, len(vectors)
    finished = [_Finished(beams) for _ in range(n)]
    alive = torch.arange(n, device=device)  # which vector each group of beams belongs to
    reading = decoder.read(vectors, draft)
    if hints is not None:
        reading.evidence = reading.evidence + hints
    past = decoder.empty_past(n, reading.prefix.shape[1])
    ids = torch.empty(n, 0, dtype=torch.long, device=device)
    scores = torch.zeros(n, 1, device=device)  # one beam a vector at first, `beams` from the first step on
    for place in range(limit + 1):
        logits = decoder.step(ids, reading, past)
        logits[:, [PAD, UNK]] = -torch.inf
        if place == 0:
            logits[:, EOS] = -torch.inf
            if banned is not None:
                logits[:, banned] = -torch.inf
        if place == limit:  # no room for another piece: every beam ends here
            _end_all(finished, alive, ids, scores + logits.log_softmax(-1)[:, EOS].view_as(scores))
            break
        width = scores.shape[1]
        total = scores.unsqueeze(2) + logits.log_softmax(-1).view(len(alive), width, -1)
        best, flat = total.flatten(1).topk(min(2 * beams, width * total.shape[2]), dim=1)
        parent, piece = flat // total.shape[2], flat % total.shape[2]
        ends = (piece == EOS) & (torch.arange(piece.shape[1], device=device) < beams) & best.isfinite()
        owners, rows = ends.nonzero()[:, 0], (torch.arange(len(alive), device=device).unsqueeze(1) * width + parent)
        ended = zip(alive[owners].tolist(), ids[rows[ends]].tolist(), best[ends].tolist(), strict=True)
        for owner, written, score in ended:
            finished[owner].add(tuple(written), score)
        best = best.masked_fill(piece == EOS, -torch.inf)
        scores, keep = best.topk(min(beams, best.shape[1]), dim=1)
        parent, piece = parent.gather(1, keep), piece.gather(1, keep)
        # A beam's score per piece can at best stay what it is now if all later pieces were certain.
        hope = (scores[:, 0] / (limit + 1)).tolist()
        on = [i for i, item in enumerate(alive.tolist()) if not finished[item].closed_to(hope[i])]
        if not on:
            break
        going = torch.tensor(on, device=device)
        rows = (going.unsqueeze(1) * width + parent[going]).flatten()
        same_rows = len(on) == len(alive) and scores.shape[1] == width
        alive, scores = alive[going], scores[going]
        ids = torch.cat([ids[rows], piece[going].view(-1, 1)], dim=1)
        if not same_rows:  # beams of one vector share what it says, so their order does not matter
            reading = reading.take(rows)
        for kv in past:
            kv.reorder(rows)
    return [each.best for each in finished]


def _end_all(finished: list[_Finished], alive: Tensor, ids: Tensor, scores: Tensor) -> None:
    texts = iter(ids.tolist())
    for owner, row in zip(alive.tolist(), scores.tolist(), strict=True):
        for score, written in zip(row, texts, strict=False):
            if math.isfinite(score):
                finished[owner].add(tuple(written), score)
