"""Small changes of a text, ranked without asking the embedder: by where they would move its vector, and by grammar."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.invert._pool import Pieces
from workbench.lm import TextDecoder, Vocabulary, WordShifts
from workbench.lm.text_decoder import EOS, PAD
from workbench.lm.word_shifts import POWER

_CHUNK = 16
_FLUENCY = 0.02
"""Foretold cosine that a nat of the decoder's log-probability is worth when edits are ranked."""


class Edit(NamedTuple):
    """`text[start:end]` gives way to `pieces`."""

    start: int
    end: int
    pieces: Pieces


def applied(text: Pieces, edit: Edit) -> Pieces:
    """The text after an edit."""
    return (*text[: edit.start], *edit.pieces, *text[edit.end :])


def together(text: Pieces, edits: Sequence[Edit], gains: Sequence[float], longest: int, most: int = 4) -> list[Pieces]:
    """Texts after the two, three .. `most` edits of highest gain that do not touch each other, none over `longest`."""
    chosen: list[Edit] = []
    out = []
    for place in np.argsort(-np.asarray(gains), kind="stable"):
        edit = edits[place]
        if gains[place] <= 0 or len(chosen) == most:
            break
        if all(edit.end < other.start or other.end < edit.start for other in chosen):
            chosen.append(edit)
            if len(chosen) > 1:
                whole = text
                for each in sorted(chosen, key=lambda edit: -edit.start):
                    whole = applied(whole, each)
                if len(whole) <= longest:
                    out.append(whole)
    return out


class Editor:
    """Proposes replacements, insertions, deletions and exchanges of word pieces.

    For every place and every piece of the vocabulary the new cosine is foretold by the closed-form word shifts, and
    the decoder says how likely the piece is there; the best by the sum of both are proposed.
    """

    def __init__(self, decoder: TextDecoder, vocabulary: Vocabulary, shifts: WordShifts) -> None:
        device = next(decoder.parameters()).device
        self._decoder, self._vocabulary = decoder, vocabulary
        self._shift = torch.from_numpy(shifts.shift).to(device)
        self._size = self._shift.square().sum(1)
        self._continues = torch.from_numpy(vocabulary.continues).to(device)

    @torch.inference_mode()
    def propose(
        self,
        vectors: Float[np.ndarray, "n d"],
        texts: Sequence[Pieces],
        own: Float[np.ndarray, "n d"],
        count: int,
        known: Sequence[Container[Pieces]],
    ) -> list[list[Edit]]:
        """About `count` edits of each text, best first, none that leads to a `known` text.

        `own` are the texts' vectors; all vectors have unit length.
        """
        out: list[list[Edit]] = []
        for start in range(0, len(texts), _CHUNK):
            rows = slice(start, start + _CHUNK)
            out += self._chunk(vectors[rows], texts[rows], own[rows], count, known[rows])
        return out

    def _chunk(
        self,
        vectors: np.ndarray,
        texts: Sequence[Pieces],
        own: np.ndarray,
        count: int,
        known: Sequence[Container[Pieces]],
    ) -> list[list[Edit]]:
        device = self._shift.device
        e, g = (torch.from_numpy(np.ascontiguousarray(each)).to(device) for each in (vectors, own))
        width = max(len(text) for text in texts)
        ids = torch.tensor([[*text, *[PAD] * (width - len(text))] for text in texts], device=device)
        log_p = self._decoder(e, ids).log_softmax(-1)  # n t+1 v; what stands behind a text does not count
        log_p[..., : EOS + 1] = -torch.inf
        log_p[:, 0, self._continues] = -torch.inf
        toward, along = e @ self._shift.T, g @ self._shift.T  # n v
        cosine = (e * g).sum(1)
        found = []
        for i, text in enumerate(texts):
            ranked = self._rank(text, 2 * count, log_p[i], toward[i], along[i], cosine[i])
            fresh = [edit for edit in ranked if applied(text, edit) not in known[i]]
            moved = [edit for edit in self._exchanged(text) if applied(text, edit) not in known[i]]
            found.append([*fresh[:count], *moved])
        return found

    def _rank(
        self, text: Pieces, count: int, log_p: Tensor, toward: Tensor, along: Tensor, cosine: Tensor
    ) -> list[Edit]:
        """The best replacements, insertions and deletions of one text."""
        t, v = len(text), len(toward)
        k = t**-POWER
        units = self._units(text)
        parts = torch.stack([self._shift[list(text[a:b])].sum(0) for a, b in units])  # u d
        lost = torch.stack([toward[list(text[a:b])].sum() for a, b in units])
        lost_along = torch.stack([along[list(text[a:b])].sum() for a, b in units])
        now = torch.stack([log_p[range(a, b), list(text[a:b])].sum() for a, b in units])
        starts = torch.tensor([a for a, _ in units], device=log_p.device)
        weight = parts.square().sum(1)

        def foretold(gain: Tensor, gain_along: Tensor, square: Tensor) -> Tensor:
            return (cosine + k * gain) / (1 + 2 * k * gain_along + k * k * square).clamp(min=0.05).sqrt()

        replaced = foretold(
            toward - lost[:, None],
            along - lost_along[:, None],
            self._size + weight[:, None] - 2 * parts @ self._shift.T,
        )
        replaced = replaced + _FLUENCY * (log_p[starts] - now[:, None])
        deleted = foretold(-lost, -lost_along, weight) - _FLUENCY * now
        found = [(s, Edit(*units[i // v], (i % v,))) for s, i in _best(replaced, count)]
        if t > 1:
            found += [(s, Edit(a, b, ())) for s, (a, b) in zip(deleted.tolist(), units, strict=True) if b - a < t]
        if t < self._decoder.max_tokens:
            inserted = foretold(toward, along, self._size) + _FLUENCY * log_p[: t + 1]
            found += [(s, Edit(i // v, i // v, (i % v,))) for s, i in _best(inserted, count)]
        found.sort(key=lambda pair: -pair[0])
        return [edit for score, edit in found if score > -np.inf]

    def _units(self, text: Pieces) -> list[tuple[int, int]]:
        """Every piece, and every word of several pieces as a whole."""
        singles = [(i, i + 1) for i in range(len(text))]
        ends = [i for i, id in enumerate(text) if not self._vocabulary.continues[id]] + [len(text)]
        return singles + [(a, b) for a, b in pairwise(ends) if b - a > 1]

    def _exchanged(self, text: Pieces) -> list[Edit]:
        """Neighbouring words in each other's place."""
        starts = [i for i, id in enumerate(text) if i == 0 or not self._vocabulary.continues[id]] + [len(text)]
        out = []
        for a, b, c in zip(starts, starts[1:], starts[2:], strict=False):
            if text[a:b] != text[b:c]:
                out.append(Edit(a, c, (*text[b:c], *text[a:b])))
        return out


def _best(scores: Tensor, count: int) -> list[tuple[float, int]]:
    best, place = scores.flatten().topk(min(count, scores.numel()))
    return list(zip(best.tolist(), place.tolist(), strict=True))
