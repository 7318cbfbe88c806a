"""A label, a space and a text on every line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.core.errors import BadInput
from workbench.data.readers._passage import Passage, old_text

__all__ = ["read_coded"]


def read_coded(paths: list[Path], upto: str = "") -> Iterator[Passage]:
    """One passage a line. `upto` ends the label (`:` makes DESC of DESC:manner). Bytes that are not UTF-8: Latin-1."""
    for path in paths:
        text = old_text(path)
        for number, line in enumerate(text.splitlines(), start=1):
            label, space, rest = line.strip().partition(" ")
            if not line.strip():
                continue
            if not space:
                raise BadInput(f"{path} line {number} is {line!r}; expected a label and a text")
            yield Passage(rest, f"{path.stem}:{number}", label.partition(upto)[0] if upto else label)
