"""Which one of some given words stands in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.data.rules._item import Item, sentences

__all__ = ["label_word_content"]


def label_word_content(source: Sequence[str], words: Sequence[str], limit: int = 400_000) -> Iterator[Item]:
    """Sentences that hold exactly one of `words`; the word is the class (SentEval's word content)."""
    known = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b")
    for text, group in sentences(source, limit):
        found = set(known.findall(text.casefold()))
        if len(found) == 1:
            yield Item(text, found.pop(), group)
