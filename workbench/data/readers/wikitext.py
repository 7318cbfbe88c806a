"""WikiText's tokenised articles, with the tokenisation undone."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from workbench.data.readers._passage import Passage

__all__ = ["read_wikitext"]

_REPAIRS = (
    (re.compile(r" @([-,.])@ "), r"\1"),
    (re.compile(r" ([.,;:?!%)\]])"), r"\1"),
    (re.compile(r"([(\[$£]) "), r"\1"),
    (re.compile(r" (n't|'s|'re|'ve|'ll|'d|'m)\b"), r"\1"),
    (re.compile(r'" ([^"]*?) "'), r'"\1"'),
)


def read_wikitext(paths: list[Path]) -> Iterator[Passage]:
    """One passage a paragraph, grouped by article; headings and lines with unknown words are passed over."""
    for path in paths:
        article = ""
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for raw in file:
                line = raw.strip()
                if line.startswith("= ") and not line.startswith("= ="):
                    article = line.strip("= ")
                elif line and not line.startswith("=") and "<unk>" not in line:
                    yield Passage(_untokenised(line), article)


def _untokenised(text: str) -> str:
    for pattern, repair in _REPAIRS:
        text = pattern.sub(repair, text)
    return text
