"""What every rule yields, and the sentences that most of them begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.data import corpora


class Item(NamedTuple):
    """A text, its class (or its grade, written as a number), and the document or person that it comes from."""

    text: str
    label: str
    group: str


def sentences(source: Sequence[str], limit: int) -> Iterator[tuple[str, str]]:
    """The first `limit` sentences of each named corpus, with their groups."""
    for name in source:
        corpus = corpora.load(name).head(limit)
        yield from zip(corpus.texts, corpus.groups, strict=True)
