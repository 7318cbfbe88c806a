"""The passage that every reader yields, and what readers share."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from workbench.core.errors import BadInput


class Passage(NamedTuple):
    """A stretch of running text, the document or person it comes from, and its label if the source has one."""

    text: str
    group: str
    label: str = ""


def open_text(path: Path) -> io.StringIO:
    """Open UTF-8 text (a byte-order mark is dropped); a byte that is not UTF-8 is an error that names the file."""
    try:
        data = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}") from error
    return io.StringIO(data, newline=None)


def old_text(path: Path) -> str:
    """Text of a file from before all were UTF-8: where it is not, its bytes are read as Latin-1."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Runs of lines without a blank line between them, joined by blanks."""
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line.strip())
        elif block:
            yield " ".join(block)
            block = []
    if block:
        yield " ".join(block)
