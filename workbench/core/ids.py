"""Ids of rows: one rule for what an id is and when two ids are the same one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from workbench.core.errors import BadInput
from workbench.core.labels import is_missing


def id_text(value: Any) -> str | None:
    """The text of an id, as it stands in files; None where the value is missing (None, NaN, NaT, NA) or blank.

    Bytes are read as UTF-8. Raises BadInput for values that hold several others, and for text that is not UTF-8.
    """
    if isinstance(value, str):
        text = str(value)
    elif isinstance(value, bytes | bytearray | np.bytes_):
        try:
            text = bytes(value).decode()
        except UnicodeDecodeError as error:
            raise BadInput(f"the id {value!r} is not UTF-8 text; expected text or numbers") from error
    elif is_missing(value):
        return None
    elif isinstance(value, list | set | Mapping | np.ndarray):
        raise BadInput(f"the id {value!r} is a {type(value).__name__}; expected text or a number")
    else:
        text = str(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadInput(f"the id {value!r} holds half a surrogate pair, which no file can hold") from error
    return text if text.strip() else None


def unique_ids(values: Iterable[Any]) -> np.ndarray:
    """Ids (n,) as text. Raises BadInput, with the row, for an id that is missing or stands in two rows, and for
    what is no sequence: one text, a number, or a set, whose order means nothing.

    Files hold ids as text, so 1 and "1" are the same id.
    """
    if isinstance(values, str | bytes | Set | Mapping) or not isinstance(values, Iterable):
        raise BadInput(f"ids is a {type(values).__name__}; expected a sequence, one id for each vector")
    given = list(values)
    texts = given if all(type(value) is str and value.isascii() for value in given) else list(map(id_text, given))
    if len(set(texts)) < len(texts) or not all(text and not text.isspace() for text in texts):
        _refuse(given, list(map(id_text, given)))
    held = np.empty(len(texts), dtype=object)
    held[:] = texts
    return held


def _refuse(given: list[Any], texts: list[str | None]) -> None:
    seen: dict[str, int] = {}
    for row, text in enumerate(texts):
        if text is None:
            raise BadInput(f"row {row} has no id ({given[row]!r}); expected text or a number in every row")
        if text in seen:
            first = given[seen[text]]
            if type(first) is type(given[row]):
                raise BadInput(f"row {row} has the id {text!r} of row {seen[text]}; ids must be unique")
            raise BadInput(
                f"row {row} has the id {given[row]!r} and row {seen[text]} has {first!r}: both are {text!r} as text, "
                "and ids must be unique as text; renumber them or put a prefix before one kind"
            )
        seen[text] = row
