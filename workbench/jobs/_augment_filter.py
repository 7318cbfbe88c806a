"""Which of the texts that a language model wrote may be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import regex

from workbench.core.text import normalise, split_of, word_count
from workbench.embed._embedder import Embedder
from workbench.jobs._augment_tasks import WRITINGS

_CLOSED = regex.compile(r"[.?!\"'\p{Sentence_Terminal}\u300d\u300f\u201d]$")


@dataclass(frozen=True)
class Made:
    """One text that was written, and the reason for which it is left out."""

    kind: str
    source: int
    text: str
    cosine: float | None = None
    dropped: str = ""


def sift(
    made: Sequence[Made], sources: Sequence[str], least_words: int, most_words: int, embedder: Embedder
) -> list[Made]:
    """Everything that was written, with its cosine to its source and the first rule that it breaks.

    A text whose own content puts it into another split than its source is left out: so splits by content hash and
    splits by source agree, and nothing that was made of test text can get into training.
    """
    origin = embedder.embed(sources)[[each.source for each in made]] if made else embedder.embed([])
    vectors = embedder.embed([each.text for each in made])
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(origin, axis=1)
    cosines = np.einsum("nd,nd->n", vectors, origin) / np.where(norms > 0, norms, 1)
    seen = {normalise(text) for text in sources}
    found = []
    for each, cosine in zip(made, cosines.tolist(), strict=True):
        source = sources[each.source]
        most = min(most_words, 2 * word_count(source) + 8)
        dropped = _length(each.text, least_words, most) or _form(each, source, seen) or _window(each.kind, cosine)
        if not dropped:
            seen.add(normalise(each.text))
        found.append(replace(each, cosine=round(cosine, 4), dropped=dropped))
    return found


def _length(text: str, least: int, most: int) -> str:
    words = word_count(text)
    return "too short" if words < least else "too long" if words > most else ""


def _form(made: Made, source: str, seen: set[str]) -> str:
    key = normalise(made.text)
    if key == normalise(source):
        return "a copy"
    if key in seen:
        return "a duplicate"
    if not _CLOSED.search(made.text):
        return "unfinished"
    if WRITINGS[made.kind].question and not made.text.endswith(("?", "\uff1f", "\u061f")):
        return "no question"
    return "of another split" if split_of(made.text) != split_of(source) else ""


def _window(kind: str, cosine: float) -> str:
    low, high = WRITINGS[kind].window
    return "too far from the source" if cosine < low else "too near to the source" if cosine > high else ""
