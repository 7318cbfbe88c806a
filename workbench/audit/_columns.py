"""What one column beside the vectors holds: its kind, told from its values alone, and the moments in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
from jaxtyping import Shaped

from workbench.audit._identifiers import MOST, identify
from workbench.audit._patterns import mask
from workbench.core.estimate import mean_share, proportion
from workbench.core.text import unspaced, words
from workbench.results.payload import Column, Times

_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_UNSPACED = 6
"""Letters of a script that sets no blanks between words, from which a value counts as text."""
_SHAPES = {
    "e-mail": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "URL": re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE),
    "path": re.compile(r"(?:[A-Za-z]:\\|[\\/~.])?(?:[^\\/\n]+[\\/])+[^\\/\n]*"),
}
_DAY = 24
_EXACT = 2**53
_STRETCH = 8


@dataclass(frozen=True)
class Read:
    """A column as text, None where it has no value, with its profile and its moments."""

    column: Column
    values: tuple[str | None, ...]
    moments: tuple[datetime, ...]


def read_column(name: str, raw: Shaped[np.ndarray, " n ..."]) -> Read:
    """Profile of a column: the first kind that at least 95% of its values are of."""
    items = _items(raw)
    values = tuple(map(_as_text, items))
    filled = [value for value in values if value is not None]
    kind, note, moments = _kind(name, [item for item in items if _as_text(item) is not None], filled)
    column = Column(
        name,
        kind,
        len(filled) / len(values),
        len({*filled}),
        max(map(len, filled), default=0),
        mask(filled[0]) if filled else "",
        note,
    )
    return Read(column, values, moments)


def is_free_text(value: str | None) -> bool:
    """At least four words, or six letters of a script that sets no spaces."""
    if not value:
        return False
    if len(unspaced(value)) >= _UNSPACED:
        return True
    return " " in value and sum(any(map(str.isalpha, word)) for word in words(value)) >= 4


def inside(value: str) -> str:
    """What a value says: lines of `key: value` where it is JSON, whose escapes are undone; else the value itself."""
    if value[:1] not in ("{", "["):
        return value
    try:
        return "\n".join(_lines(json.loads(value)))
    except (ValueError, RecursionError):
        return value


def times(name: str, moments: Sequence[datetime]) -> Times:
    """First, last and rhythm of at least one moment."""
    ordered = sorted(moments)
    hours = np.bincount([moment.hour for moment in ordered], minlength=_DAY)
    whole_days = all(moment.time() == time() for moment in ordered)
    circle = np.concatenate([hours, hours[: _STRETCH - 1]])
    stretches = np.convolve(circle, np.ones(_STRETCH, int), "valid")
    start = int(stretches.argmax())
    gaps = np.diff([moment.timestamp() for moment in ordered], prepend=-math.inf)
    n = len(ordered)
    form = "%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M"
    return Times(
        name,
        ordered[0].strftime(form),
        ordered[-1].strftime(form),
        "" if whole_days else f"{start:02d} to {(start + _STRETCH) % _DAY:02d}",
        None if whole_days else proportion(int(stretches[start]), n),
        proportion(sum(moment.weekday() >= 5 for moment in ordered), n),
        mean_share(np.zeros(n) if whole_days else (gaps <= 1).astype(float)),
    )


def _lines(held: Any, key: str = "") -> Iterator[str]:
    if isinstance(held, dict):
        for name, each in held.items():
            yield from _lines(each, name)
    elif isinstance(held, list):
        for each in held:
            yield from _lines(each, key)
    elif (text := _as_text(held)) is not None:
        yield f"{key}: {text}" if key else text


def _items(raw: np.ndarray) -> list[Any]:
    return (raw.astype("datetime64[us]") if raw.dtype.kind == "M" else raw).tolist()


def _as_text(item: Any) -> str | None:
    if item is None or item == "" or (isinstance(item, float) and math.isnan(item)):
        return None
    if isinstance(item, list | tuple | np.ndarray):
        return "; ".join(map(str, item)) or None
    if isinstance(item, float) and item.is_integer() and abs(item) < _EXACT:
        return str(int(item))  # whole numbers are floats where some are missing
    return json.dumps(item, ensure_ascii=False, default=str) if isinstance(item, dict) else str(item)


def _kind(name: str, items: list[Any], filled: list[str]) -> tuple[str, str, tuple[datetime, ...]]:
    if not filled:
        return "empty", "", ()
    moments = tuple(moment for item in items if (moment := _moment(item)) is not None)
    if len(moments) >= MOST * len(items):
        return "timestamp", "", moments
    if name == "id" or not any(isinstance(item, int | float) for item in items):
        distinct = list(dict.fromkeys(filled))
        found = identify(distinct) if name == "id" or len(distinct) > len(filled) // 2 else None
        if found:
            return found.kind, found.note, found.moments
    return _plain_kind(items, filled)


def _plain_kind(items: list[Any], filled: list[str]) -> tuple[str, str, tuple[datetime, ...]]:
    for kind, shape in _SHAPES.items():
        if sum(bool(shape.fullmatch(value)) for value in filled) >= MOST * len(filled):
            return kind, _path_note(filled) if kind == "path" else "", ()
    if any(isinstance(item, list | tuple) for item in items):
        tags = {str(tag) for item in items if isinstance(item, list | tuple) for tag in item}
        return "tags", f"{len(tags):,} different tags", ()
    text = sum(map(is_free_text, filled))
    if text >= len(filled) / 2:
        return "free text", "", ()
    note = f"{text / len(filled):.1%} of the values are text" if text else ""
    if len({*filled}) <= max(2, min(50, len(filled) // 10)):
        least = min(filled.count(value) for value in {*filled})
        return "category", note or f"the rarest value stands in {least:,} row{'s' * (least != 1)}", ()
    return ("number" if all(isinstance(item, int | float) for item in items) else "words"), note, ()


def _path_note(paths: list[str]) -> str:
    folders = {re.split(r"[\\/]", path.strip("\\/"))[0] for path in paths}
    ends = {path.rpartition(".")[2].lower() for path in paths if "." in path}
    return f"{len(folders):,} top folders, {len(ends):,} kinds of files"


def _moment(item: Any) -> datetime | None:
    """A moment, in UTC where it says its zone; numbers are seconds or milliseconds from 2001 to 2033."""
    found: datetime | None = None
    if isinstance(item, datetime):
        found = item
    elif isinstance(item, date):
        found = datetime.combine(item, time())
    elif isinstance(item, str) and _ISO.match(item):
        try:
            found = datetime.fromisoformat(item)
        except ValueError:
            return None
    elif isinstance(item, int | float) and not isinstance(item, bool):
        seconds = item / 1000 if item >= 1e12 else item
        found = datetime.fromtimestamp(seconds, UTC) if 1e9 <= seconds < 2e9 else None
    if found is None:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
