"""Whether a sentence is a question or a statement, its closing mark struck out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.data.rules._item import Item, sentences

__all__ = ["label_question"]


def label_question(source: Sequence[str], limit: int = 60_000) -> Iterator[Item]:
    """Sentences that end in `?` or `.`, without that mark; those with another mark within are left out."""
    for text, group in sentences(source, limit):
        body = text[:-1].rstrip()
        if text[-1:] in ("?", ".") and not any(mark in body for mark in "?!"):
            yield Item(body, "question" if text[-1] == "?" else "statement", group)
