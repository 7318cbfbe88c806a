"""How many words a sentence has, in bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.core.errors import BadInput
from workbench.data.rules._item import Item, sentences

__all__ = ["label_length"]


def label_length(source: Sequence[str], bins: Sequence[Sequence[int]], limit: int = 60_000) -> Iterator[Item]:
    """`bins` are pairs of the fewest and the most words; a bin's class is called `4-7`."""
    if any(len(pair) != 2 or pair[0] > pair[1] for pair in bins):
        raise BadInput(f"bins are {bins}; expected pairs of the fewest and the most words")
    for text, group in sentences(source, limit):
        words = len(text.split())
        for low, high in bins:
            if low <= words <= high:
                yield Item(text, f"{low}-{high}", group)
