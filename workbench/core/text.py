"""Normalised text, content hashes, and the split that follows from them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Literal, get_args

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_NOT_WORD = re.compile(r"[\W_]+")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
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
    """Casefolded words of `text` with one blank between them; punctuation, accents' composition and spacing are gone.

    Two texts with the same normal form count as the same text when splits are made and exact matches are counted.
    """
    return _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def words(text: str) -> list[str]:
    """Casefolded words of `text` in order; unlike in the normal form, an apostrophe inside a word belongs to it."""
    return [word.replace("\u2019", "'") for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold())]


def content_key(text: str) -> int:
    """64-bit hash of the normal form: a fixed, shuffled order over texts, equal in every process and release."""
    return int.from_bytes(hashlib.blake2b(normalise(text).encode(), digest_size=8).digest(), "big")


def split_of_key(key: int) -> Split:
    """train 96%, validation 2%, test 2%, decided by the content hash alone, so that no text stands in two splits."""
    part = key % 100
    return "train" if part < 96 else "validation" if part < 98 else "test"


def split_of(text: str) -> Split:
    """The split that `text` belongs to, wherever it is found."""
    return split_of_key(content_key(text))
