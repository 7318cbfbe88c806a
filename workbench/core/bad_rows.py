"""Rows that hold no usable vector or text: how they are recognised, and the one policy for all who read rows.

`fail` refuses the input and names the first such row; `skip` leaves these rows out, counts them and says their ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float

from workbench.core.errors import BadInput
from workbench.core.labels import is_missing
from workbench.core.vectors import finite_rows

OnBadRows = Literal["fail", "skip"]
_POLICIES: tuple[str, ...] = get_args(OnBadRows)
SHOWN = 20
"""Ids of rows that were skipped which are kept by name."""
SKIPPED = "skipped "
"""How a note of provenance on such rows begins."""
FIX = "leave them out with --on-bad-rows skip (in Python on_bad_rows='skip')"
Faults = Mapping[int, str]
"""What is wrong with a row, by its number: `is a zero vector`."""


@dataclass(frozen=True)
class BadRows:
    """Rows that were skipped: how many for each reason, and the ids of the first of them."""

    reasons: Mapping[str, int] = field(default_factory=dict)
    ids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(self.reasons.values())

    def __add__(self, other: BadRows) -> BadRows:
        reasons = dict(Counter(self.reasons) + Counter(other.reasons))
        return BadRows(reasons, (*self.ids, *other.ids)[:SHOWN])

    def sentence(self) -> str:
        """How many for each reason, and the first ids."""
        why = ", ".join(f"{count:,} x {reason}" for reason, count in self.reasons.items())
        ids = ", ".join(map(repr, self.ids)) + (", ..." if len(self.ids) < len(self) else "")
        return f"{len(self):,} rows that cannot be used: {why}; ids: {ids}"

    def notes(self) -> tuple[str, ...]:
        """One sentence for provenance and for the terminal; none where nothing was skipped."""
        return (f"{SKIPPED}{self.sentence()}",) if len(self) else ()


def screen(faults: Faults, ids: Sequence[Any] | np.ndarray, policy: str) -> tuple[Bool[np.ndarray, " n"], BadRows]:
    """Which of the rows stay, and what is skipped. Raises BadInput under `fail`, and where no row would stay."""
    require_policy(policy)
    keep = np.ones(len(ids), dtype=bool)
    if not faults:
        return keep, BadRows()
    row = min(faults)
    if policy == "fail":
        alike = sum(reason == faults[row] for reason in faults.values())
        more = f" ({len(faults) - alike} rows have other faults)" if alike < len(faults) else ""
        raise BadInput(f"row {row} (id {ids[row]!r}) {faults[row]}; {alike} such rows in all{more}; {FIX}")
    keep[list(faults)] = False
    named = sorted(faults)
    skipped = BadRows(dict(Counter(faults[each] for each in named)), tuple(str(ids[each]) for each in named[:SHOWN]))
    return keep, skipped


def require_policy(policy: str) -> None:
    """Raise BadInput for another word than fail or skip."""
    if policy not in _POLICIES:
        raise BadInput(f"on-bad-rows is {policy!r}; expected {' or '.join(_POLICIES)}")


def vector_faults(vectors: Float[np.ndarray, "n d"]) -> dict[int, str]:
    """Rows with NaN or infinity, and rows of zeros."""
    finite = finite_rows(vectors)
    found = dict.fromkeys(np.flatnonzero(~finite).tolist(), "holds NaN or infinity")
    return found | dict.fromkeys(np.flatnonzero(finite & ~vectors.any(axis=1)).tolist(), "is a zero vector")


def text_faults(texts: Sequence[Any] | np.ndarray) -> dict[int, str]:
    """Rows whose text is missing or blank. Raises BadInput for a value that is not text."""
    found = {}
    for row, text in enumerate(texts):
        if isinstance(text, str):
            if not text.strip():
                found[row] = "has a blank text"
        elif is_missing(text):
            found[row] = "has no text"
        else:
            raise BadInput(f"row {row} has the text {text!r}; expected text, and not a {type(text).__name__}")
    return found


def matrix_of(column: pa.ChunkedArray, dim: int = 0) -> tuple[Float[np.ndarray, "n d"], dict[int, str]]:
    """Vectors (n, d) of a column of lists, float32, and the rows that hold none of `dim` numbers (NaN stands there).

    `dim` 0 takes the length that most rows have. A column that is whole is not copied where its numbers are float32.
    """
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()  # one chunk is not copied
    if isinstance(array, pa.ChunkedArray):  # a column without rows may have no chunk to combine
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    there = np.asarray(array.is_valid())
    lengths = np.asarray(array.value_lengths().fill_null(0)).astype(np.int64)
    dim = dim or usual_length(lengths[there])
    fits = there & (lengths == dim)
    numbers = (array if fits.all() else array.filter(pa.array(fits))).flatten()
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused by its row
        flat = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, dim)
    faults = {int(row): "has no vector" for row in np.flatnonzero(~there)}
    faults |= {
        int(row): f"has {lengths[row]} dimensions where others have {dim}" for row in np.flatnonzero(there & ~fits)
    }
    if numbers.null_count:
        places = np.unique(np.flatnonzero(~np.asarray(numbers.is_valid())) // dim)
        faults |= dict.fromkeys(np.flatnonzero(fits)[places].tolist(), "has a missing number in its vector")
    if fits.all():
        return flat, faults
    vectors = np.full((len(array), dim), np.nan, np.float32)
    vectors[fits] = flat
    return vectors, faults


def usual_length(lengths: np.ndarray) -> int:
    """The length that most vectors have, of several the one that comes first; 0 where there is none."""
    lengths = lengths[lengths > 0]
    if not len(lengths):
        return 0
    values, first, counts = np.unique(lengths, return_index=True, return_counts=True)
    return int(values[np.lexsort((first, -counts))[0]])
