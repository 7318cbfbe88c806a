"""Contributions: one vector for each piece of a text; with the reference's they sum to the text's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import regex
from jaxtyping import Bool, Float, Int

from workbench.core.text import CLUSTER, SPACED

Level = Literal["token", "word", "phrase", "sentence", "auto"]
LEVELS: tuple[Level, ...] = ("token", "word", "phrase", "sentence", "auto")
"""A phrase is a part of a long sentence, or short sentences in a row; `auto` is `token`, `phrase` for long texts."""
_PHRASE = 4, 48
"""Fewest and most words that the limit of a phrase's words can be."""
_FINE = 60
"""Words of a text up to which its phrases have the fewest."""
_WORD = regex.compile(rf"{CLUSTER}|[{SPACED}_]+(?:['\u2019.@-][{SPACED}_]+)*|(?!\s)\X", regex.V1)
_SENTENCE = re.compile(
    r"\S.*?(?:[.!?\u0964\u061f\u06d4]+(?=\s|$)|[\u3002\uff01\uff1f\uff61]+|$)", re.DOTALL
)  # Chinese and Japanese set no blank after the end of a sentence


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each of n pieces gives to a text's unit vector.

    `matrix.sum(0) + reference` should be `vector`; `error` is the length of the difference. `reference` is all zeros
    for methods without one.
    """

    text: str
    names: tuple[str, ...]
    spans: Int[np.ndarray, "n 2"]
    """Characters of the text that a piece covers; 0, 0 for special tokens."""
    matrix: Float[np.ndarray, "n d"]
    vector: Float[np.ndarray, " d"]
    reference: Float[np.ndarray, " d"]
    rule: str = ""
    nodes: int = 0
    missed: Float[np.ndarray, " d"] | None = None
    """What the rule missed of the vector and was shared out over the pieces; None where nothing was shared out."""

    @property
    def error(self) -> float:
        """Length of what is missing or too much."""
        return float(np.linalg.norm(self.matrix.sum(0) + self.reference - self.vector))

    @property
    def unshared(self) -> Float[np.ndarray, " d"]:
        """The sum before anything was shared out: the vector less what the rule missed of it."""
        return self.vector if self.missed is None else self.vector - self.missed

    @property
    def bordered(self) -> Float[np.ndarray, "n_plus_1 d"]:
        """The pieces' vectors and, last, the reference's."""
        return np.concatenate([self.matrix, self.reference[None]])

    def merged(self, level: Level) -> Contributions:
        """The same for words or sentences."""
        names, spans, matrix = merge(self.text, self.names, self.spans, self.matrix, level)
        return replace(self, names=names, spans=spans, matrix=matrix)


def merge(
    text: str,
    names: tuple[str, ...],
    spans: Int[np.ndarray, "n 2"],
    matrix: Float[np.ndarray, "n k"],
    level: Level,
) -> tuple[tuple[str, ...], Int[np.ndarray, "m 2"], Float[np.ndarray, "m k"]]:
    """By sum: tokens of one word or one sentence become one. Special tokens that give nothing are left out, the others
    become one piece behind the text's own."""
    gives = (spans[:, 1] > spans[:, 0]) | (np.abs(matrix).max(1, initial=0) > 0)
    found = grouped(text, names, spans, gives, level)
    sums = [matrix[list(members)].sum(0) for members in found.members]
    return found.names, found.spans, np.array(sums).reshape(-1, matrix.shape[1])


@dataclass(frozen=True, eq=False)
class Grouping:
    """The p pieces that the tokens of a text form: names, characters, and the tokens of each."""

    names: tuple[str, ...]
    spans: Int[np.ndarray, "p 2"]
    members: tuple[tuple[int, ...], ...]


def grouped(
    text: str, names: tuple[str, ...], spans: Int[np.ndarray, "n 2"], gives: Bool[np.ndarray, " n"], level: Level
) -> Grouping:
    """Tokens of one word or one sentence as one piece; those that give nothing are left out, and those outside of the
    text's words form one piece behind them."""
    kept = np.flatnonzero(gives).tolist()
    if level == "token":
        return Grouping(tuple(names[place] for place in kept), spans[kept], tuple((place,) for place in kept))
    whole = _whole_tokens(pieces_of(text, level), spans[kept])
    groups: dict[int, list[int]] = {}
    for place in kept:
        start, end = spans[place].tolist()
        owner = next((i for i, (a, b) in enumerate(whole) if end > start and a < end and start < b), len(whole))
        groups.setdefault(owner, []).append(place)
    found = sorted(groups)
    read = int(spans[:, 1].max(initial=0))  # the model may not read a text to its end
    ends = [(whole[owner][0], min(whole[owner][1], read)) if owner < len(whole) else (0, 0) for owner in found]
    return Grouping(
        tuple(text[a:b] or " ".join(names[p] for p in groups[o]) for o, (a, b) in zip(found, ends, strict=True)),
        np.array(ends, dtype=np.int64).reshape(-1, 2),
        tuple(tuple(groups[owner]) for owner in found),
    )


def _whole_tokens(pieces: list[tuple[int, int]], spans: Int[np.ndarray, "n 2"]) -> list[tuple[int, int]]:
    """Pieces that share a token as one: a run that a tokenizer does not know can be one token of many words."""
    out: list[tuple[int, int]] = []
    for a, b in pieces:
        shared = bool(out) and bool(((spans[:, 0] < out[-1][1]) & (spans[:, 1] > a)).any())
        out[-1:] = [(out[-1][0], b)] if shared else [*out[-1:], (a, b)]
    return out


def pieces_of(text: str, level: Level) -> list[tuple[int, int]]:
    """Characters of the words, phrases or sentences of a text."""
    if level == "phrase":
        most = _most_words(len(pieces_of(text, "word")))
        parts = [part for start, end in pieces_of(text, "sentence") for part in _phrases(text, start, end, most)]
        return _joined(text, parts, most)
    return [match.span() for match in (_SENTENCE if level == "sentence" else _WORD).finditer(text)]


def _most_words(words: int) -> int:
    """Most words of a phrase in a text of so many words.

    A piece of a long text costs more, and so does its path; phrases therefore grow by the cube of the length, and a
    text of 200 words takes two to three times as long as one of 60.
    """
    fewest, most = _PHRASE
    return min(max(fewest * words**3 // _FINE**3, fewest), most)


def _phrases(text: str, start: int, end: int, most: int) -> list[tuple[int, int]]:
    """A sentence, in parts of nearly equal numbers of words where it has too many."""
    words = [(start + a, start + b) for a, b in pieces_of(text[start:end], "word")]
    parts = -(-len(words) // most)
    if parts < 2:
        return [(start, end)]
    cuts = [len(words) * part // parts for part in range(parts + 1)]
    return [(words[first][0], words[last - 1][1]) for first, last in pairwise(cuts)]


def _joined(text: str, parts: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Neighbouring parts as one, as long as they have few enough words."""
    out: list[tuple[int, int]] = []
    for start, end in parts:
        if out and len(pieces_of(text[out[-1][0] : end], "word")) <= most:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out
