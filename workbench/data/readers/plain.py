"""Plain text, one text a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.data.readers._passage import Passage, open_text

__all__ = ["read_plain"]


def read_plain(paths: list[Path]) -> Iterator[Passage]:
    """One passage a line; blank lines are passed over."""
    for path in paths:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield Passage(line.strip(), f"{path.stem}:{number}")
