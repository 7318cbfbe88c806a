"""From passages to clean sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from workbench.core.text import squeeze
from workbench.data.readers._passage import Passage

MIN_WORDS, MAX_WORDS = 4, 60
_CLOSED = re.compile(r"[.?!][\"')\]]?$")
_ODD = re.compile(r"[^\x20-\x7e\u00a3\u20ac\u00c0-\u017f\u2010-\u2026]")
_STRUCK = re.compile(r"XX+")


def sentences(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Sentences of 4 to 60 words, mostly Latin letters, that end in a closing mark; struck-out text is left out."""
    for passage in passages:
        for text in segment(passage.text):
            if is_sentence(text) and not _STRUCK.search(text):
                yield passage._replace(text=text)


def segment(text: str) -> list[str]:
    """Sentences of running English text, squeezed; sentencex segments as Wikimedia does, and fast."""
    import sentencex

    return [squeeze(piece) for piece in sentencex.segment("en", text)]  # pyright: ignore[reportAttributeAccessIssue]  # compiled


def is_sentence(text: str) -> bool:
    """Whether `text` (already squeezed) looks like one clean English sentence."""
    if not _CLOSED.search(text) or not MIN_WORDS <= text.count(" ") + 1 <= MAX_WORDS:
        return False
    letters = sum(character.isalpha() for character in text)
    return letters >= 0.6 * len(text) and not _ODD.search(text)
