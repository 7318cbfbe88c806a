"""A page of rows on its way from a store to an EmbeddingSet, and the columns that loose values become."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.bad_rows import Faults
from workbench.core.errors import BadInput


@dataclass(frozen=True)
class Page:
    """n rows as a store gives them: ids as text, vectors of one length, perhaps texts, and labels by name.

    `faults` says what is wrong with rows that have no vector of this length; NaN stands in their places.
    """

    ids: Sequence[str]
    vectors: Float[np.ndarray, "n d"]
    texts: Sequence[str | None] | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    faults: Faults = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, start: int, end: int | None = None) -> Page:
        """The rows from `start` up to `end`."""
        part = slice(start, end)
        texts = None if self.texts is None else self.texts[part]
        labels = {name: column[part] for name, column in self.labels.items()}
        last = len(self) if end is None else end
        faults = {row - start: why for row, why in self.faults.items() if start <= row < last}
        return Page(self.ids[part], self.vectors[part], texts, labels, faults)

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        vectors: Sequence[Any] | np.ndarray,
        dim: int,
        texts: Sequence[str | None] | None = None,
        labels: Mapping[str, np.ndarray] | None = None,
    ) -> Page:
        """A page of loose vectors, some of which may be missing or have another length than `dim`."""
        faults = {
            row: "has no vector" if vector is None else f"has {len(vector)} dimensions where others have {dim}"
            for row, vector in enumerate(vectors)
            if vector is None or len(vector) != dim
        }
        if faults:
            empty = np.full(dim, np.nan, np.float32)
            vectors = [empty if row in faults else vector for row, vector in enumerate(vectors)]
        matrix = np.asarray(vectors, dtype=np.float32).reshape(len(ids), dim)
        return cls(ids, matrix, texts, labels or {}, faults)


def columns(rows: Sequence[Mapping[str, Any] | None]) -> dict[str, np.ndarray]:
    """One column for each key that any of the rows has; None where a row lacks it."""
    rows = [row or {} for row in rows]
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: column([row.get(key) for row in rows]) for key in keys}


def column(values: Sequence[Any]) -> np.ndarray:
    """A label's column (n,): numbers and booleans as such, all else as text, and text where the kinds are mixed.

    Lists and objects become JSON. A missing value is None.
    """
    plain = [_plain(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds == {int, float}:
        plain = [value if value is None else float(value) for value in plain]
    elif len(kinds) > 1:
        plain = [value if value is None or isinstance(value, str) else json.dumps(value) for value in plain]
    if None in plain or kinds == {str}:  # numpy's own strings take the longest one's room in every row
        made = np.empty(len(plain), dtype=object)
        made[:] = plain
        return made
    return np.array(plain)


def _plain(value: Any) -> bool | int | float | str | None:
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) < 2**63 else str(value)
        case float():
            return value if np.isfinite(value) else None
        case list() | tuple() | dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case np.generic():
            return _plain(value.item())
        case _:
            return str(value)


def texts_of(values: Sequence[Any]) -> list[str] | None:
    """Texts, "" where a row has none; None where no row has one."""
    if all(value is None for value in values):
        return None
    return ["" if value is None else str(value) for value in values]


def require_key(rows: Sequence[Mapping[str, Any] | None], key: str, name: str) -> None:
    """Raise BadInput where none of a store's first rows has the key that the line names."""
    seen = dict.fromkeys(each for row in rows for each in row or {})
    if key not in seen:
        raise BadInput(f"{name} has no {key!r} (text) in its rows; they have: {', '.join(seen) or 'none'}")
