"""Whether a regular expression is found in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.core.errors import BadInput
from workbench.data.rules._item import Item, sentences

__all__ = ["label_pattern"]


def label_pattern(
    source: Sequence[str], pattern: str, present: str, absent: str, limit: int = 60_000, ignore_case: bool = False
) -> Iterator[Item]:
    """The class is `present` where `pattern` is found, else `absent`."""
    try:
        known = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise BadInput(f"pattern {pattern!r} is no regular expression: {error}") from error
    for text, group in sentences(source, limit):
        yield Item(text, present if known.search(text) else absent, group)
