"""The label that a source gives its texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workbench.core.text import squeeze
from workbench.data import corpora
from workbench.data._clean import segment
from workbench.data.rules._item import Item

__all__ = ["label_by_source"]


def label_by_source(
    source: Sequence[str], rename: Mapping[str, str] | None = None, words: int = 60, fewest: int = 1
) -> Iterator[Item]:
    """Texts with their own labels. Long ones are cut to their first whole sentences of at most `words` words.

    `rename` maps a source's labels to classes; with it, other labels are left out. The group is the text itself.
    """
    for name in source:
        for passage in corpora.passages(name):
            label = passage.label if rename is None else rename.get(passage.label, "")
            text = _first_words(squeeze(passage.text), words)
            if label and len(text.split()) >= fewest:
                yield Item(text, label, text)


def _first_words(text: str, most: int) -> str:
    if len(text.split()) <= most:
        return text
    kept: list[str] = []
    for sentence in segment(text):
        if sum(len(one.split()) for one in (*kept, sentence)) > most:
            break
        kept.append(sentence)
    return " ".join(kept) or " ".join(text.split()[:most])
