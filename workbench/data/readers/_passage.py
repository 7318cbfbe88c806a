"""The passage that every reader yields, and what readers share."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from workbench.core.errors import BadInput, first_line


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
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


@contextmanager
def of_form(path: Path, form: str) -> Iterator[None]:
    """Where a key that is missing, or a value of another kind, is a BadInput: the file is not of this form."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadInput(f"{path} is not {form}: {type(error).__name__} {first_line(error)}") from error


def text_of(value: Any) -> str:
    """`value` itself; raises TypeError where it is no text, for `of_form`."""
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} where a text was expected")
    return value


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
