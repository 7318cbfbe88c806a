"""Normalised text, content hashes, and the split that follows from them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Literal, get_args

import regex

from workbench.core import _normal_form
from workbench.core._normal_form import CLUSTER, SPACED, fold, normal_form, tokens_of, units

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_NOT_WORD = re.compile(r"[\W_]+")
_WORD = regex.compile(rf"{CLUSTER}|{SPACED}+(?:['\u2019]{SPACED}+)*", regex.V1)
_SPACE = re.compile(r"\s+")
_ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 5000


def inert(text: str) -> str:
    """Text that is only read: control characters (a terminal obeys them), marks that turn the direction of writing, and
    lone surrogates become a replacement character; what is over 5,000 characters is cut, and says so."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}... ({len(text):,} characters)"
    return _ACTS.sub("\N{REPLACEMENT CHARACTER}", text)


def squeeze(text: str) -> str:
    """Collapse every run of white space to one blank and strip the ends."""
    return _SPACE.sub(" ", text).strip()


def normalise(text: str) -> str:
    """Casefolded words, numbers and signs of `text` with one blank between them; punctuation and spacing are gone.

    Two texts with the same normal form count as the same text for exact match, for duplicates and for planted values.
    Letters, combining marks, numbers and symbols stay, by their Unicode categories, and so do signs and operators
    (`-5`, `5 %`, `c # error`, `1.5`). Where nothing is left, the casefolded text itself is the normal form.
    `docs/metrics.md` states the rule in full.
    """
    return normal_form(text)


def tokens(text: str) -> list[str]:
    """Cut the normal form of `text` into the tokens that are counted: words, signs, and parts of numbers.

    In scripts that set no blanks between words (Chinese, Japanese, Thai, Khmer) a token is a letter with its marks.
    """
    return tokens_of(normal_form(text))


def spread(text: str) -> str:
    """The normal form with a blank around every letter of a script that sets none, and around the whole."""
    return f" {' '.join(units(normal_form(text)))} "


def contains(text: str, value: str) -> bool:
    """Whether the normal form of `value` stands in that of `text`, between whole words, numbers and signs."""
    return spread(value) in spread(text)


def words(text: str) -> list[str]:
    """Casefolded words of `text` in order; unlike in the normal form, an apostrophe inside a word belongs to it.

    In scripts that set no blanks between words each letter, with its marks, counts as a word.
    """
    return [word.replace("\u2019", "'") for word in _WORD.findall(fold(text))]


def word_count(text: str) -> int:
    """Number of words between blanks; in scripts that set no blanks, each letter with its marks counts as a word."""
    return _normal_form.counted(text)


def pieces(text: str) -> list[str]:
    """Cut `text` into words, signs and what lies between them, as they are written; joined they are `text` again."""
    return _normal_form.pieces(text)


def word_pieces(text: str) -> list[str]:
    """What stands between the blanks of `text`, as it is written, cut at letters of scripts that set no blanks."""
    return text.split() if text.isascii() else _normal_form.word_pieces(text)


def unspaced(text: str) -> list[str]:
    """Letters, with their marks, of scripts that set no blanks between words."""
    return _normal_form.unspaced(text)


def content_key(text: str) -> int:
    """64-bit hash of the normal form, equal in every process and release: the identity of a text."""
    return _hash(normalise(text))


def split_form(text: str) -> str:
    """A coarser form than the normal form, without signs and marks, by which splits are made and corpora are ordered.

    It never changes: the shipped checkpoints were trained on the splits that follow from it. It is computed from the
    normal form, so two texts with one normal form stand in one split, and so do texts that differ in signs, marks and
    punctuation alone. Where no letter or digit is left, it is the normal form.
    """
    form = normalise(text)
    return _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", form).casefold()).strip() or form


def split_key(text: str) -> int:
    """64-bit hash of the split form: a fixed, shuffled order over texts, equal in every process and release."""
    return _hash(split_form(text))


def split_of_key(key: int) -> Split:
    """train 96%, validation 2%, test 2%, decided by `split_key` alone, so that no text stands in two splits."""
    part = key % 100
    return "train" if part < 96 else "validation" if part < 98 else "test"


def split_of(text: str) -> Split:
    """The split that `text` belongs to, wherever it is found."""
    return split_of_key(split_key(text))


def _hash(form: str) -> int:
    return int.from_bytes(hashlib.blake2b(form.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
