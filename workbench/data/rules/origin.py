"""Which corpus, or which writer of a corpus, a sentence comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from workbench.data import corpora
from workbench.data.rules._item import Item

__all__ = ["label_origin"]


def label_origin(
    source: Sequence[str], writers: Mapping[str, str] | None = None, limit: int = 60_000, fewest: int = 4
) -> Iterator[Item]:
    """The corpus' name, or with `writers` the one whose pattern fits the group (`Austen = "austen-*"`)."""
    for name in source:
        corpus = corpora.load(name).head(limit)
        for text, group in zip(corpus.texts, corpus.groups, strict=True):
            if len(text.split()) < fewest:
                continue
            if writers is None:
                yield Item(text, name, group)
                continue
            document = group.partition(":")[2]
            for writer, pattern in writers.items():
                if fnmatchcase(document, pattern):
                    yield Item(text, writer, group)
