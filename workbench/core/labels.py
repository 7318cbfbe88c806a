"""Labels as users have them: which rows have none, and whether the others are classes or grades.

The one rule of the workbench. A label is missing where it is None, NaN, NaT, `pandas.NA`, masked, or a text of white
space alone; such rows are left out and counted in words. The texts "nan", "None" and "NA" stay texts: a store may hold
the word, and readers of tables have turned real gaps into missing values before. Whole numbers, also those that a table
holds as floats because of a gap (0.0 and 1.0), are classes named 0 and 1; numbers with a fraction are grades.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from workbench.core.errors import BadInput

Column = Sequence[Any] | Shaped[np.ndarray, " n"] | Any
"""Labels, groups or splits as users have them: a list, an array of any type, a pandas, polars or Arrow column."""
MOST_NUMBERS = 50
"""Whole numbers with more distinct values than this are grades where a method can take both."""
_MISSING_TYPES = ("NAType", "NaTType", "MaskedConstant")


def is_missing(value: Any) -> bool:
    """Whether one value is no label."""
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, float | np.floating | Decimal) and math.isnan(value)


def items(labels: Column, what: str = "labels") -> list[Any]:
    """Values of a column as plain objects, None where they are missing; blank texts stay. BadInput for a table
    and for what is no sequence."""
    shape = getattr(labels, "shape", None)
    if shape is not None and len(shape) != 1:
        raise BadInput(f"{what} has shape {tuple(shape)}; expected one dimension, one label for each vector")
    if isinstance(labels, str | bytes | Set | Mapping) or not isinstance(labels, Iterable):
        raise BadInput(f"{what} is a {type(labels).__name__}; expected a sequence, one for each vector")
    if isinstance(labels, np.ndarray) and labels.dtype.kind == "M":
        labels = labels.astype("datetime64[us]")
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(labels, name):
            labels = getattr(labels, name)()
            break
    return [None if not isinstance(value, str) and is_missing(value) else value for value in labels]


def column(labels: Column, what: str = "labels") -> np.ndarray:
    """A label column of a set as an array: of one type where that holds every value, else objects with None."""
    if isinstance(labels, np.ndarray) and not isinstance(labels, np.ma.MaskedArray) and labels.dtype.kind != "O":
        return labels if labels.ndim == 1 else np.array(items(labels, what))  # which refuses a table
    values = items(labels, what)
    held = np.empty(len(values), dtype=object)
    held[:] = values
    if any(isinstance(value, list | tuple | dict | set | np.ndarray) for value in values):
        return held
    if isinstance(labels, np.ndarray):
        return held
    kinds = {type(value) for value in values if value is not None}
    if None not in values:
        return np.array(values)
    if str in kinds and len(kinds) > 1:  # a column of a file has one type
        held[:] = [None if value is None else str(value) for value in values]
    elif kinds and kinds <= {int, float}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return held


def group_keys(groups: Column) -> list[str]:
    """Names of groups; a row without one is a group of its own, as nothing says that it belongs to another."""
    return [f"row {row}" if is_missing(value) else str(value) for row, value in enumerate(items(groups, "groups"))]


def group_codes(groups: Column, n: int) -> Int[np.ndarray, " n"]:
    """For each of n rows the number of its group, in the order of the groups' values, as `group_keys` tells them apart.

    Raises BadInput for another number of groups than n.
    """
    values = items(groups, "groups")
    if len(values) != n:
        raise BadInput(f"{len(values)} groups for {n} values; expected one group for each value")
    if {type(value) for value in values} <= {int} or {type(value) for value in values} <= {float}:
        return np.unique(np.array(values), return_inverse=True)[1]
    alone = [("", row) if is_missing(value) else (str(value), -1) for row, value in enumerate(values)]
    place = {key: code for code, key in enumerate(sorted({*alone}))}
    return np.array([place[key] for key in alone], dtype=np.int64)


@dataclass(frozen=True)
class Labels:
    """A label of n rows, read by the rule above. `what` names it in errors."""

    what: str
    values: tuple[Any, ...]
    """As they came, None where one is missing (blank texts too)."""

    @classmethod
    def of(cls, labels: Column, n: int | None = None, what: str = "labels") -> Labels:
        """Read a column. Raises BadInput for another number than n, for lists, and for values that are all missing."""
        values = [None if is_missing(value) else value for value in items(labels, what)]
        if n is not None and len(values) != n:
            raise BadInput(f"{what} has shape ({len(values)},); expected ({n},), one label for each vector")
        odd = next((value for value in values if isinstance(value, list | tuple | dict | set | np.ndarray)), None)
        if odd is not None:
            raise BadInput(f"{what} holds a {type(odd).__name__}; expected one word or number for each vector")
        if all(value is None for value in values):
            raise BadInput(f"{what} has no values: all {len(values)} rows are missing or blank")
        return cls(what, tuple(values))

    @cached_property
    def present(self) -> Bool[np.ndarray, " n"]:
        """Rows that have a label."""
        return np.array([value is not None for value in self.values], dtype=bool)

    @property
    def left_out(self) -> str:
        """How many rows have no label, in words; empty where all have one."""
        missing = int((~self.present).sum())
        said = f"{self.what}: {missing:,} of {len(self.values):,} rows have no value and are left out"
        return said if missing else ""

    @cached_property
    def numbers(self) -> bool:
        """Whether all labels are numbers, and not all truth values."""
        kept = [value for value in self.values if value is not None]
        truth = (bool, np.bool_)
        return all(isinstance(value, Real | Decimal) and not isinstance(value, truth) for value in kept)

    @cached_property
    def whole(self) -> bool:
        """Whether all labels are whole numbers."""
        return self.numbers and all(value is None or _whole(value) for value in self.values)

    @property
    def graded(self) -> bool:
        """Whether a method that can take both reads grades: fractions, or whole numbers of many values."""
        return self.numbers and (not self.whole or len({*self.values} - {None}) > MOST_NUMBERS)

    def grades(self) -> Float[np.ndarray, " n"]:
        """Numbers, NaN where one is missing. Raises BadInput for infinity."""
        table = np.array([np.nan if value is None else float(value) for value in self.values])
        if np.isinf(table).any():
            raise BadInput(f"{self.what} holds infinity; expected finite numbers")
        return table

    def classes(self) -> tuple[tuple[str, ...], Int[np.ndarray, " n"]]:
        """Names of the classes in the order of their values, and for each row its place there, -1 where it has none."""
        kept = [value for value in self.values if value is not None]
        if self.numbers:
            if not self.whole:
                grade = next(value for value in kept if not _whole(value))
                raise BadInput(f"{self.what} holds the grade {grade}; expected classes: cut it")
            keys: list[Any] = [None if value is None else int(value) for value in self.values]
        elif all(isinstance(value, bool | np.bool_) for value in kept):
            keys = [None if value is None else bool(value) for value in self.values]
        else:
            keys = [None if value is None else _name(value) for value in self.values]
        names = sorted({*keys} - {None})
        place = {name: code for code, name in enumerate(names)}
        codes = np.array([-1 if key is None else place[key] for key in keys], dtype=np.int64)
        return tuple(map(str, names)), codes


def _whole(value: Any) -> bool:
    return math.isfinite(value) and value == math.floor(value)


def _name(value: Any) -> str:
    """A value among words by its name: 1.0 is 1."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return str(int(value)) if number and _whole(value) else str(value)
