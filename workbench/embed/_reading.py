"""What a model reads of its texts: how many tokens its limit cuts off, and how many its tokenizer knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from jaxtyping import Int

from workbench.core.errors import BadInput
from workbench.core.notices import notice

_REMEMBERED = 100_000
"""Distinct texts that a tally remembers, so that none is counted twice."""


@dataclass(frozen=True, eq=False)
class Reading:
    """Tokens of n texts: all of them, those beyond the model's limit, and those that the tokenizer knows."""

    lengths: Int[np.ndarray, " n"]
    """Tokens with specials and prompt, before any truncation."""
    cut: Int[np.ndarray, " n"]
    """Tokens of the text that the model does not read."""
    own: Int[np.ndarray, " n"]
    """Tokens of the text itself, before any truncation."""
    known: Int[np.ndarray, " n"]
    """Tokens of the text itself that are neither unknown nor blank."""


class Tally:
    """Counts over all texts that an embedder was given; each text counts once."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self.texts = self.cut_texts = self.cut_tokens = self.tokens_of_cut = self.unknown_texts = 0

    def add(self, texts: Sequence[str], reading: Reading) -> bool:
        """Count texts that were not counted before; true if any of them is cut or unknown."""
        changed = False
        for row, text in enumerate(texts):
            key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
            if key in self._seen:
                continue
            if len(self._seen) < _REMEMBERED:
                self._seen.add(key)
            self.texts += 1
            if reading.cut[row]:
                changed = True
                self.cut_texts += 1
                self.cut_tokens += int(reading.cut[row])
                self.tokens_of_cut += int(reading.own[row])
            if not reading.known[row]:
                changed = True
                self.unknown_texts += 1
        return changed

    def lines(self, embedder: str, limit: int) -> dict[str, str]:
        """`cut`: a sentence on texts that were cut; `unknown`: one on texts of which no token is known."""
        out = {}
        if self.cut_texts:
            out["cut"] = (
                f"{embedder} reads {limit:,} tokens of a text: {count(self.cut_texts, 'text')} of {self.texts:,} "
                f"{'is' if self.cut_texts == 1 else 'are'} longer, and {self.cut_tokens:,} of "
                f"{self.tokens_of_cut:,} tokens in {'it' if self.cut_texts == 1 else 'them'} were not read"
            )
        if self.unknown_texts:
            one = self.unknown_texts == 1
            out["unknown"] = (
                f"{embedder}'s tokenizer knows no token of {count(self.unknown_texts, 'text')} of {self.texts:,}: "
                f"{'its vector says' if one else 'their vectors say'} nothing about {'its' if one else 'their'} words"
            )
        return out


def require_characters(texts: Sequence[str]) -> list[str]:
    """The texts themselves; raises BadInput for a half of a surrogate pair, which no tokenizer can encode."""
    for row, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadInput(
                f"text {row} holds {text[error.start]!r} at character {error.start}, half of a surrogate pair; "
                "expected valid Unicode: decode the file again with errors='replace'"
            ) from error
    return list(texts)


def count(n: int, noun: str) -> str:
    """A number with its noun: 1 text, 2 texts."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


_TALLIES: dict[str, Tally] = {}
_own_texts = [True]
"""Whether the texts that are embedded are the user's, and not guesses of a method."""


def record(embedder: str, limit: int, texts: Sequence[str], reading: Reading) -> None:
    """Add texts to the tally of an embedder, by name, and give notice of what is cut or unknown so far."""
    if not _own_texts[0]:
        return
    tally = _TALLIES.setdefault(embedder, Tally())
    if tally.add(texts, reading):
        for kind, line in tally.lines(embedder, limit).items():
            notice(f"{kind} {embedder}", line)


@contextmanager
def guesses() -> Iterator[None]:
    """While a method embeds its own guesses: what their tokens are is no news to the user."""
    before, _own_texts[0] = _own_texts[0], False
    try:
        yield
    finally:
        _own_texts[0] = before


def forget_tallies() -> None:
    """Begin to count again, as each command does."""
    _TALLIES.clear()
