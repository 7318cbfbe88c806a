"""The user's own texts: tables, lines and records with what stands beside each text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.bad_rows import BadRows, screen, text_faults
from workbench.core.errors import BadInput, MissingExtra, first_line
from workbench.core.files import parse_json
from workbench.core.ids import unique_ids
from workbench.core.tables import ERRORS, arrow_table, is_saved_dataset, read_table
from workbench.data._decode import FALLBACK, decode
from workbench.data._delimited import read_delimited_columns, typed
from workbench.data._text_columns import ID_NAMES, TEXT_NAMES, group_names, text_columns
from workbench.data.stores._page import column as label_column

_DEEPEST = 8
"""Objects within objects that become columns of their own."""
_LINES = "line"
"""Column of a file that has a text on every line, and no columns of its own."""


@dataclass(frozen=True)
class Wishes:
    """What the caller states; "" and None leave it to be found."""

    text: str = ""
    id: str = ""
    labels: Sequence[str] | None = None
    on_bad_rows: str = "fail"
    encoding: str = ""


@dataclass(frozen=True)
class OwnTexts:
    """n texts with their ids, groups and labels; `found` says in words which columns were taken for what."""

    name: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    groups: tuple[str, ...]
    labels: Mapping[str, tuple[Any, ...]]
    found: str
    skipped: BadRows


def read_own_texts(source: Any, wishes: Wishes) -> OwnTexts:
    """See `workbench.data.corpora.read`."""
    name = str(source) if isinstance(source, str | Path) else f"the {type(source).__name__}"
    stem = Path(name).stem if isinstance(source, str | Path) else "row"
    columns, said = _columns(source, name, wishes)
    rows = len(next(iter(columns.values()), ()))
    if not rows:
        raise BadInput(f"{name} holds no text")
    names = text_columns(columns, name, wishes.text, wishes.id, wishes.labels)
    for each in (names.id, *names.labels):
        _require_whole(columns.get(each, ()), name, each)
    texts = columns[names.text]
    ids: list[Any] = list(columns[names.id]) if names.id else [str(row) for row in range(rows)]
    try:
        faults = text_faults(texts)
        keep, skipped = screen(faults, ids, wishes.on_bad_rows)
        if not keep.any():
            raise BadInput(f"holds no text; {'; '.join(skipped.notes())}")
        good = np.flatnonzero(keep).tolist()
        unique = unique_ids(ids[row] for row in good)
    except BadInput as error:
        raise BadInput(f"{name}, column {names.text!r}: {error}") from error
    groups = group_names(columns, rows, stem)
    labels = {each: tuple(label_column(typed([columns[each][row] for row in good])).tolist()) for each in names.labels}
    found = "" if list(columns) == [_LINES] else f"{name}: {names.sentence()}"
    return OwnTexts(
        Path(name).name,
        tuple(unique.tolist()),
        tuple(str(texts[row]) for row in good),
        tuple(groups[row] for row in good),
        labels,
        "; ".join(filter(None, (found, said))),
        skipped,
    )


def _require_whole(values: Sequence[Any], name: str, column: str) -> None:
    for row, value in enumerate(values):
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                half = f"{value!r} holds half a surrogate pair, which no file can hold"
                raise BadInput(f"{name}, column {column!r}, row {row}: {half}") from error


def _columns(source: Any, name: str, wishes: Wishes) -> tuple[dict[str, list[Any]], str]:
    """Columns by name, and what is to be said of how they were read."""
    if not isinstance(source, str | Path):
        return _of_arrow(arrow_table(source), name), ""
    if name.startswith("hf:"):
        return _of_hub(name), ""
    path = Path(source)
    if path.is_dir() and is_saved_dataset(path):
        return _of_arrow(read_table(path), name), ""
    if not path.is_file():
        raise BadInput(f"{name} is {'a folder' if path.is_dir() else 'not there'}; expected a file of texts")
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq", ".arrow"):
        return _of_arrow(read_table(path), name), ""
    if suffix not in _READERS:
        raise BadInput(f"{name} ends in {suffix!r}; expected .txt, .jsonl, .json, .csv, .tsv or .parquet")
    try:
        text, encoding = decode(path.read_bytes(), name, wishes.encoding)
    except OSError as error:
        raise BadInput(f"cannot read {name}: {error.strerror}") from error
    columns, said = _READERS[suffix](text, name, wishes)
    guessed = encoding in (FALLBACK, "latin-1") and not wishes.encoding
    coded = f"it is not UTF-8, and is read as {encoding}; --encoding names another" if guessed else ""
    return columns, "; ".join(filter(None, (said, coded)))


def _of_lines(text: str, name: str, wishes: Wishes) -> tuple[dict[str, list[Any]], str]:
    lines = (line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return {_LINES: [line for line in lines if line]}, ""


def _of_delimited(text: str, name: str, wishes: Wishes) -> tuple[dict[str, list[Any]], str]:
    known = (*TEXT_NAMES, *ID_NAMES, wishes.text, wishes.id, *(wishes.labels or ()))
    return read_delimited_columns(text, name, name.lower().endswith(".tsv"), [each for each in known if each])


def _of_json_lines(text: str, name: str, wishes: Wishes) -> tuple[dict[str, list[Any]], str]:
    records = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            record = parse_json(line, f"{name} line {number}")
            if not isinstance(record, dict):
                raise BadInput(f"{name} line {number} is a {type(record).__name__}; expected an object with a text")
            records.append(record)
    return _of_records(records), ""


def _of_json(text: str, name: str, wishes: Wishes) -> tuple[dict[str, list[Any]], str]:
    value = parse_json(text, name)
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BadInput(f"{name} is not a list of objects; expected one object for each text")
    return _of_records(value), ""


_READERS = {
    ".txt": _of_lines,
    "": _of_lines,
    ".csv": _of_delimited,
    ".tsv": _of_delimited,
    ".jsonl": _of_json_lines,
    ".ndjson": _of_json_lines,
    ".json": _of_json,
}


def _of_records(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns of records; a field within an object is called `outer.inner`, and is None where a record lacks it."""
    flat = [_flat(record) for record in records]
    names = dict.fromkeys(key for record in flat for key in record)
    return {key: [record.get(key) for record in flat] for key in names}


def _flat(record: Mapping[str, Any], before: str = "", depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and value and depth < _DEEPEST:
            found |= _flat(value, f"{before}{key}.", depth + 1)
        else:
            found[f"{before}{key}"] = value
    return found


def _of_arrow(table: Any, source: str) -> dict[str, list[Any]]:
    """Columns of an Arrow table without its vectors and bytes; fields of structs are called `outer.inner`."""
    from workbench.core.columns import roles

    table = table.flatten() if any(str(kind).startswith("struct") for kind in table.schema.types) else table
    return {name: _values(table[name], source, name) for name, role in roles(table.schema).items() if role == "plain"}


def _values(column: Any, source: str, name: str) -> list[Any]:
    try:
        return column.to_pylist()
    except ERRORS:  # a string that is not UTF-8, a date that Python has no name for
        for row, value in enumerate(column):
            try:
                value.as_py()
            except ERRORS as error:
                raise BadInput(
                    f"{source}, column {name!r}, row {row}: the value cannot be read: {first_line(error)}"
                ) from error
        raise


def _of_hub(source: str) -> dict[str, list[Any]]:
    try:
        import datasets  # pyright: ignore[reportMissingImports]  # the extra `hub`
    except ImportError as error:
        raise MissingExtra("datasets", "hub") from error
    _, name, *rest = source.split(":")
    if not name:
        raise BadInput(f"{source!r} names no data set; expected hf:NAME or hf:NAME:SPLIT")
    try:
        return _of_records(datasets.load_dataset(name, split=rest[0] if rest else "train", streaming=True))
    except BadInput:
        raise
    except Exception as error:  # a library that raises whatever the hub, the network and its own readers raise
        raise BadInput(f"cannot read {source}: {type(error).__name__}: {first_line(error)}") from error
