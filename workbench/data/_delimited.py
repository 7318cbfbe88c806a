"""The user's own comma- or tab-separated table: its delimiter is found, its rows are checked."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from workbench.core.errors import BadInput

_DELIMITERS = ",\t;|"
_ALONE = "\x1f"
"""A delimiter that no text holds: the table has one column."""
_SAMPLE = 200
_LARGEST = 1 << 30
_LIMIT = threading.Lock()
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TRUTH = {"true": True, "false": False}
_LONG_NAME = 60


def read_delimited_columns(
    text: str, name: str, tabs: bool, known: Sequence[str] = ()
) -> tuple[dict[str, list[Any]], str]:
    """Columns of a table by name, None where a row has nothing, and how the table was read, in words.

    The delimiter is the one of comma, tab, semicolon and bar that gives most rows as many fields as the first. Empty
    rows are passed over. A first row that holds numbers or sentences is no header, unless it holds one of the `known`
    names; columns are then called column_1, column_2, ... Columns of numbers and of true and false become those.
    Raises BadInput for a row with more fields than the header, and for a quote that is never closed.
    """
    with _large_fields():
        delimiter = _delimiter_of(text, tabs)
        quoting = csv.QUOTE_MINIMAL
        try:
            rows = list(_rows(text, delimiter, quoting, name))
        except BadInput:
            if delimiter != "\t":
                raise
            rows, quoting = list(_rows(text, delimiter, csv.QUOTE_NONE, name)), csv.QUOTE_NONE
    if not rows:
        return {}, ""
    first = [cell.strip() for cell in rows[0][1]]
    headed = _is_header(first, known)
    names = _names(first if headed else [""] * max(len(cells) for _, cells in rows), name)
    columns: list[list[str | None]] = [[] for _ in names]
    for number, cells in rows[1:] if headed else rows:
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            raise BadInput(
                f"{name} row {number} has {len(cells)} fields; expected {len(names)}: is a field with the delimiter "
                f"{delimiter!r} in it not quoted?"
            )
        for place, column in enumerate(columns):
            column.append(cells[place] if place < len(cells) and cells[place].strip() else None)
    said = [] if delimiter in (_ALONE, "\t" if tabs else ",") else [f"delimiter {delimiter!r}"]
    said += ["no header"] if not headed else []
    said += ["quotes are letters"] if quoting == csv.QUOTE_NONE else []
    return dict(zip(names, columns, strict=True)), ", ".join(said)


def typed(values: Sequence[Any]) -> Sequence[Any]:
    """Texts that are all whole numbers, all numbers, or all true and false as such; others as they are."""
    there = [value for value in values if value is not None]
    if not there or not all(isinstance(value, str) for value in there):
        return values
    if all(map(_WHOLE.fullmatch, there)):
        return [None if value is None else int(value) for value in values]
    if all(map(_DECIMAL.fullmatch, there)):
        return [None if value is None else float(value) for value in values]
    if all(value.lower() in _TRUTH for value in there):
        return [None if value is None else _TRUTH[value.lower()] for value in values]
    return values


@contextmanager
def _large_fields() -> Iterator[None]:
    """While it lasts, fields may be longer than the 128 KB that the csv module allows."""
    with _LIMIT:
        former = csv.field_size_limit(_LARGEST)
        try:
            yield
        finally:
            csv.field_size_limit(former)


def _rows(text: str, delimiter: str, quoting: int, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, with the numbers of the lines that they end on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)  # pyright: ignore[reportArgumentType]
    began = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
            began = reader.line_num + 1
    except csv.Error as error:
        hint = ": a quote is never closed" if "unexpected end" in str(error) else ""
        raise BadInput(f"{name}, the row that begins in line {began}: {error}{hint}") from error


def _delimiter_of(text: str, tabs: bool) -> str:
    sample = text[: 1 << 20]
    best, choice = (0.0, 1), _ALONE
    for delimiter in "\t,;|" if tabs else _DELIMITERS:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            counts = [len(cells) for cells in islice((cells for cells in reader if cells), _SAMPLE)]
        except csv.Error:
            continue
        if not counts or counts[0] < 2:
            continue
        fit = sum(count == counts[0] for count in counts) / len(counts)
        if (round(fit, 2), counts[0]) > best:
            best, choice = (round(fit, 2), counts[0]), delimiter
    return choice


def _is_header(first: list[str], known: Sequence[str]) -> bool:
    if {cell.lower() for cell in first} & {name.lower() for name in known}:
        return True
    if not any(first):
        return False
    return not any(_NUMBER.fullmatch(cell) or len(cell) > _LONG_NAME or cell.count(" ") > 4 for cell in first)


def _names(first: list[str], name: str) -> list[str]:
    """Names of the columns, each once: a second one of a name gets a number."""
    names: list[str] = []
    for place, cell in enumerate(first, start=1):
        wanted, number = cell or f"column_{place}", 2
        unique = wanted
        while unique in names:
            unique, number = f"{wanted} ({number})", number + 1
        names.append(unique)
    return names
