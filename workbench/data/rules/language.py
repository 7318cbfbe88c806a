"""Which language a sentence of Tatoeba is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench import assets
from workbench.core.text import squeeze
from workbench.data.readers.delimited import read_delimited
from workbench.data.rules._item import Item

__all__ = ["label_language"]

_FILES = {"Spanish": "spa.tsv", "Ukrainian": "ukr.tsv"}


def label_language(source: Sequence[str]) -> Iterator[Item]:
    """English, Spanish and Ukrainian; a sentence and its translation have one group, so they share a split."""
    for name in source:
        folder = assets.fetch(name)
        for language, file in _FILES.items():
            for path in sorted(folder.rglob(file)):
                sides = (read_delimited([path], column, "\t", quoted=False, header=False) for column in (0, 1))
                for english, other in zip(*sides, strict=True):
                    group = squeeze(english.text)
                    if len(group.split()) >= 4:
                        yield Item(group, "English", group)
                        yield Item(squeeze(other.text), language, group)
