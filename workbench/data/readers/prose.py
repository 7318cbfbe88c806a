"""Books and speeches in plain text, paragraphs set apart by blank lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from workbench.data.readers._passage import Passage, old_text, paragraphs

__all__ = ["read_prose"]

_VERSE = re.compile(r"\b\d+:\d+ (?=[A-Z])")  # the numbers of Bible verses


def read_prose(paths: list[Path]) -> Iterator[Passage]:
    """One passage a paragraph, grouped by file. Old books are not all UTF-8: other bytes are read as Latin-1."""
    for path in paths:
        text = old_text(path)
        for paragraph in paragraphs(iter(text.splitlines())):
            yield Passage(_VERSE.sub("", paragraph), path.stem)
