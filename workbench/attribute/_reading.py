"""Which part of a text a model reads, and whether its tokenizer knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
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


def unit_vectors(embedder: Embedder, texts: Sequence[str], what: str = "embed") -> Float[np.ndarray, "n d"]:
    """Vectors of texts in double precision, of length 1."""
    found = embedder.embed(list(texts), what=what).astype(np.float64)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    if len(bad := np.flatnonzero(~(norms[:, 0] > 0) | ~np.isfinite(norms[:, 0]))):
        raise BadInput(
            f"{embedder.spec.name} gives {shortened(str(texts[int(bad[0])]))!r} a vector without direction (length "
            f"{norms[bad[0], 0]:g}); expected a text of which it knows a word"
        )
    return found / norms
