"""Small changes of a text, ranked without asking the embedder: by where they would move its vector, and by grammar."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import cache
from itertools import combinations, pairwise, zip_longest
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.embed._torch import rough_products
from workbench.invert._crossing import word_starts
from workbench.invert._pool import Pieces
from workbench.invert._slopes import Slopes
from workbench.lm import Lexicon, TextDecoder, Vocabulary, WordShifts
from workbench.lm.text_decoder import EOS, padded
from workbench.lm.word_shifts import POWER

_CHUNK = 16
_JOINED, _TOGETHER, _TRIED = 12, 4, 6
"""Of the edits that were tried, how many may be joined; how many at once; and how many of their sets are tried."""
FLUENCY = (0.0005, 0.002, 0.02)
"""Foretold cosine that a nat of the decoder's log-probability is worth when edits are ranked. Words of content are
found by their shifts, words of grammar by the decoder, so the best by each of these rates are taken in turn."""
SLOPES = 0.3
"""Share of the first-order foretelling where gradients are granted, beside the closed-form one: together they rank
better than either (`benchmarks/edit_ranking.py`)."""


_ASKED = 64
"""Words of the lexicon that are considered for a text: those whose coming is foretold to do most."""
_UNLIKELIEST = -8.0
"""Nats that a word of the lexicon is held to have at least: the decoder hardly knows how rare words are spelt."""


class Edit(NamedTuple):
    """`text[start:end]` gives way to `pieces`."""

    start: int
    end: int
    pieces: Pieces


def applied(text: Pieces, edit: Edit) -> Pieces:
    """The text after an edit."""
    return (*text[: edit.start], *edit.pieces, *text[edit.end :])


def together(
    text: Pieces,
    edits: Sequence[Edit],
    vectors: Float[np.ndarray, "k d"],
    own: Float[np.ndarray, " d"],
    wanted: Float[np.ndarray, " d"],
    longest: int,
) -> list[Pieces]:
    """Texts after two to four of the edits at once, the most promising first, none over `longest` pieces.

    Each edit's own vector is known (or all NaN). What several do is foretold as the sum of what each did, so that edits
    are found that help one another, as when a word moves: none of the two gains alone. They may not touch each other.
    """
    known = np.flatnonzero(np.isfinite(vectors[:, 0])) if len(edits) else np.empty(0, dtype=np.int64)
    chosen = known[np.argsort(-(vectors[known] @ wanted), kind="stable")][:_JOINED]
    moved = vectors[chosen] - own
    ends = np.array([edits[i][:2] for i in chosen]).reshape(-1, 2)
    apart = (ends[:, None, 1] < ends[None, :, 0]) | (ends[None, :, 1] < ends[:, None, 0])
    found: list[tuple[float, tuple[int, ...]]] = []
    for size in range(2, min(_TOGETHER, len(chosen)) + 1):
        sets = _sets(len(chosen), size)
        sets = sets[apart[sets[:, :, None], sets[:, None, :]].sum((1, 2)) == size * (size - 1)]
        after = own + moved[sets].sum(1)
        cosines = (after @ wanted) / np.linalg.norm(after, axis=1)
        best = np.argsort(-cosines, kind="stable")[:_TRIED]
        found += zip(cosines[best].tolist(), map(tuple, sets[best].tolist()), strict=True)
    found.sort(key=lambda pair: -pair[0])
    out = []
    for foretold, each in found[:_TRIED]:
        whole = text
        for place in sorted(each, key=lambda place: -edits[chosen[place]].start):
            whole = applied(whole, edits[chosen[place]])
        if foretold > own @ wanted and len(whole) <= longest:
            out.append(whole)
    return out


@cache
def _sets(n: int, size: int) -> np.ndarray:
    return np.array(list(combinations(range(n), size)), dtype=np.int64).reshape(-1, size)


def foretold(cosine: Tensor, k: float, toward: Tensor, along: Tensor, square: Tensor) -> Tensor:
    """The cosine with the wanted vector after a unit vector moved by k times some shift.

    `toward` and `along` are the shift's products with the wanted and the moved vector, `square` is its own.
    """
    return (cosine + k * toward) / (1 + 2 * k * along + k * k * square).clamp(min=0.05).sqrt()


class _Words(NamedTuple):
    """What may come into a text: all v pieces, and behind them c - v words of the lexicon."""

    spelt: Sequence[Pieces]
    shift: Float[Tensor, "w d"]
    """Of the words behind the pieces, which number w = c - v."""
    square: Float[Tensor, " c"]
    toward: Float[Tensor, " c"]
    along: Float[Tensor, " c"]
    log_p: Float[Tensor, "t_plus_1 c"]

    def pieces(self, number: int) -> Pieces:
        """How one of the c is spelt."""
        v = len(self.square) - len(self.spelt)
        return (number,) if number < v else self.spelt[number - v]


class Editor:
    """Proposes replacements, insertions and deletions of word pieces, and of whole words of the lexicon; and exchanges.

    For every place and every piece of the vocabulary the new cosine is foretold by the closed-form word shifts, and
    the decoder says how likely the piece is there; the best by sums of both are proposed. With `slopes`, replacements
    of single pieces are foretold by gradients of the embedder too. Words of the `lexicon` come whole: piece by piece
    they would first have to make the text worse.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        vocabulary: Vocabulary,
        shifts: WordShifts,
        slopes: Slopes | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        device = next(decoder.parameters()).device
        self._decoder, self._vocabulary, self._slopes = decoder, vocabulary, slopes
        self._shift = torch.from_numpy(shifts.shift).to(device)
        self._square = self._shift.square().sum(1)
        self._spelt = lexicon.words if lexicon else ()
        self._word_shift = torch.from_numpy(lexicon.shift).to(device) if lexicon else self._shift[:0]
        self._word_square = self._word_shift.square().sum(1)
        self._first = torch.tensor([word[0] for word in self._spelt], dtype=torch.long, device=device)
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
        """At most `count` edits of each text, best first, none that leads to a `known` text.

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
        with rough_products(device.type):
            logits = self._decoder(e, padded(texts, device))
        log_p = logits.float().log_softmax(-1)  # n t+1 v; behind a text it says nothing
        log_p[..., : EOS + 1] = -torch.inf
        log_p[:, 0, self._continues] = -torch.inf
        toward, along = e @ self._shift.T, g @ self._shift.T  # n v
        word_toward, word_along = e @ self._word_shift.T, g @ self._word_shift.T  # n w
        cosine = (e * g).sum(1)
        slopes = self._slopes.foretell(texts, e) if self._slopes else [None] * len(texts)
        found = []
        for i, text in enumerate(texts):
            words = _Words((), self._word_shift[:0], self._square, toward[i], along[i], log_p[i])
            if self._spelt:
                words = self._with_lexicon(words, word_toward[i], word_along[i], cosine[i], len(text))
            ranked = self._rank(text, 2 * count, words, cosine[i], slopes[i])
            fresh = [edit for edit in ranked if applied(text, edit) not in known[i]]
            found.append(fresh[:count])
        return found

    def _with_lexicon(self, words: _Words, toward: Tensor, along: Tensor, cosine: Tensor, t: int) -> _Words:
        """Beside all pieces the words of the lexicon that the vector asks for most."""
        rise = foretold(cosine, t**-POWER, toward, along, self._word_square)
        best = rise.topk(min(_ASKED, len(rise))).indices
        log_p = words.log_p[:, self._first[best]].clamp(min=_UNLIKELIEST)
        return _Words(
            [self._spelt[place] for place in best.tolist()],
            self._word_shift[best],
            torch.cat([words.square, self._word_square[best]]),
            torch.cat([words.toward, toward[best]]),
            torch.cat([words.along, along[best]]),
            torch.cat([words.log_p, log_p], 1),
        )

    def _rank(self, text: Pieces, count: int, words: _Words, cosine: Tensor, slopes: Tensor | None) -> list[Edit]:
        """The best replacements, insertions and deletions of one text."""
        t, v, c = len(text), len(self._shift), len(words.square)
        k, longest = t**-POWER, self._decoder.max_tokens
        log_p, toward, along = words.log_p, words.toward, words.along
        units = self._units(text)
        parts = torch.stack([self._shift[list(text[a:b])].sum(0) for a, b in units])  # u d
        lost = torch.stack([toward[list(text[a:b])].sum() for a, b in units])
        lost_along = torch.stack([along[list(text[a:b])].sum() for a, b in units])
        now = torch.stack([log_p[range(a, b), list(text[a:b])].sum() for a, b in units])
        starts = torch.tensor([a for a, _ in units], device=log_p.device)
        weight = parts.square().sum(1)

        replaced = foretold(
            cosine,
            k,
            toward - lost[:, None],
            along - lost_along[:, None],
            words.square + weight[:, None] - 2 * torch.cat([parts @ self._shift.T, parts @ words.shift.T], 1),
        )
        if slopes is not None:  # the first t units are the single pieces
            replaced[:t, :v] = (1 - SLOPES) * replaced[:t, :v] + SLOPES * slopes.to(replaced.device)
        deleted = foretold(cosine, k, -lost, -lost_along, weight)
        inserted = foretold(cosine, k, toward, along, words.square)
        likelier = log_p[starts] - now[:, None]

        def best(rate: float) -> list[Edit]:
            scores = replaced + rate * likelier
            found = [(s, Edit(*units[i // c], words.pieces(i % c))) for s, i in _best(scores, count)]
            if t > 1:
                without = (deleted - rate * now).tolist()
                found += [(s, Edit(a, b, ())) for s, (a, b) in zip(without, units, strict=True) if b - a < t]
            if t < longest:
                scores = inserted + rate * log_p[: t + 1]
                found += [(s, Edit(i // c, i // c, words.pieces(i % c))) for s, i in _best(scores, count)]
            found.sort(key=lambda pair: -pair[0])
            fits = [(score, edit) for score, edit in found if t - edit.end + edit.start + len(edit.pieces) <= longest]
            return [edit for score, edit in fits[:count] if score > -np.inf]

        in_turn = zip_longest(*(best(rate) for rate in FLUENCY))
        return list(dict.fromkeys(edit for edits in in_turn for edit in edits if edit is not None))[:count]

    def _units(self, text: Pieces) -> list[tuple[int, int]]:
        """Every piece, and every word of several pieces as a whole."""
        singles = [(i, i + 1) for i in range(len(text))]
        starts = word_starts(text, self._vocabulary.continues)
        return singles + [(a, b) for a, b in pairwise(starts) if b - a > 1]

    def exchanges(self, text: Pieces, known: Container[Pieces]) -> list[Edit]:
        """Neighbouring words in each other's place, but for what leads to a `known` text."""
        starts = word_starts(text, self._vocabulary.continues)
        out = []
        for a, b, c in zip(starts, starts[1:], starts[2:], strict=False):
            if text[a:b] != text[b:c]:
                out.append(Edit(a, c, (*text[b:c], *text[a:b])))
        return [edit for edit in out if applied(text, edit) not in known]


def _best(scores: Tensor, count: int) -> list[tuple[float, int]]:
    best, place = scores.flatten().topk(min(count, scores.numel()))
    return list(zip(best.tolist(), place.tolist(), strict=True))
