"""Which part of a text a model reads, and whether its tokenizer knows it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.embed._embedder import Embedder
from workbench.embed._grad_embedder import GradEmbedder

_SHOWN = 60


@dataclass(frozen=True)
class TextReading:
    """One text as a model reads it."""

    tokens: int
    """Tokens of the text, before any truncation."""
    tokens_cut: int
    """Tokens that the model does not read."""
    known: int
    """Tokens that the tokenizer knows."""
    end: int
    """One past the last character that the model reads."""
    content: bool
    """Whether the model reads any token of the text."""
    why: str = ""
    """Where it reads none: why, and what was expected."""


def read_text(embedder: Embedder, text: str) -> TextReading:
    """How an embedder reads a text; for one whose tokenizer is not open, as far as it states its limit."""
    found = embedder.reading([text])
    tokens, cut, known = (int(row[0]) for row in (found.own, found.cut, found.known))
    if not isinstance(embedder, GradEmbedder):
        return TextReading(tokens, cut, known, len(text), tokens > 0, "expected a text with at least one word")
    spans = embedder.tokenise([text]).spans[0]
    content = bool((spans[:, 1] > spans[:, 0]).any())
    end = int(spans.max()) if cut else len(text)
    if content:
        return TextReading(tokens, cut, known, end, True)
    if cut:
        frame = int(found.lengths[0]) - tokens
        why = f"its prompt and special tokens, {frame} of them, fill its limit of {embedder.spec.max_tokens} tokens"
    elif tokens:
        why = "all of it are special tokens; expected a text with at least one word"
    else:
        why = "its tokenizer drops blanks and control characters; expected a text with at least one word"
    return TextReading(tokens, cut, known, end, False, why)


def shortened(text: str) -> str:
    """The beginning of a text, for a message."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "\u2026"
