"""WikiText's tokenised articles, with the tokenisation undone."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from workbench.core.errors import BadInput, first_line
from workbench.data.readers._passage import Passage

__all__ = ["read_wikitext"]

_LONGEST = 1 << 24
"""Characters of a line: a few kilobytes of gzip can say a gigabyte."""
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
        with _opened(path) as file:
            for raw in file:
                line = raw.strip()
                if line.startswith("= ") and not line.startswith("= ="):
                    article = line.strip("= ")
                elif line and not line.startswith("=") and "<unk>" not in line:
                    yield Passage(_untokenised(line), article)


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[str]]:
    """Lines of a gzipped file. Raises BadInput for what is none, and for a line that unpacks to no end."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield _lines(file, path)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not whole gzipped text: {first_line(error)}") from error


def _lines(file: TextIOWrapper, path: Path) -> Iterator[str]:
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise BadInput(f"{path} has a line of more than {_LONGEST:,} characters")
        yield line


def _untokenised(text: str) -> str:
    for pattern, repair in _REPAIRS:
        text = pattern.sub(repair, text)
    return text
