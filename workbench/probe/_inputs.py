"""What users hand over beside vectors: labels as class codes, groups, and a split that no group crosses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from workbench.core.errors import BadInput
from workbench.core.labels import Column, Labels, group_keys
from workbench.core.text import SPLITS
from workbench.core.vectors import real_numbers, require_finite
from workbench.data._task_items import split_of_group

_MOST_CLASSES = 200


@dataclass(frozen=True)
class Coded:
    """Labels as the places of their names; names are in the order of the values (False before True, 9 before 10)."""

    names: tuple[str, ...]
    codes: Int[np.ndarray, " n"]
    """-1 where a row has no label."""
    left_out: str = ""
    """How many rows have no label, in words."""

    @property
    def rows(self) -> Int[np.ndarray, " m"]:
        """Rows that have a label."""
        return np.flatnonzero(self.codes >= 0)

    @property
    def counts(self) -> Int[np.ndarray, " k"]:
        """Items of each class."""
        return np.bincount(self.codes[self.rows], minlength=len(self.names))


def checked_vectors(vectors: Shaped[np.ndarray, "n d"] | Any) -> Float[np.ndarray, "n d"]:
    """The vectors in double precision, from any table of real numbers: an array of any type, a tensor, a data frame.

    Raises BadInput for another shape, for what is no real number, and for NaN or infinity with its row.
    """
    table = real_numbers(vectors)
    if table.ndim != 2 or not table.size:
        raise BadInput(f"vectors has shape {table.shape}; expected (n, d) with n and d at least 1")
    require_finite(table)
    return table


def coded(labels: Column, n: int, what: str = "labels") -> Coded:
    """Labels of any type (bool, whole numbers, words) as codes of 2 to 200 classes; -1 where `core.labels` has none.

    Raises BadInput for another number of labels, one class only, or numbers that are grades.
    """
    read = Labels.of(labels, n, what)
    names, codes = read.classes()
    if not 2 <= len(names) <= _MOST_CLASSES:
        raise BadInput(f"{what} has {len(names)} distinct values; expected 2 to {_MOST_CLASSES} classes")
    return Coded(names, codes, read.left_out)


def group_names(groups: Column | None, n: int) -> Shaped[np.ndarray, " n"]:
    """Names of the groups (documents, persons) that items come from; by default each item is one of its own."""
    names = np.array(list(map(str, range(n))) if groups is None else group_keys(groups), dtype=object)
    if len(names) != n:
        raise BadInput(f"groups has {len(names)} entries; expected {n}, one for each vector")
    return names


def split_column(split: Column | None, groups: Shaped[np.ndarray, " n"]) -> Shaped[np.ndarray, " n"]:
    """`train`, `validation` or `test` for each item; by default from the hash of its group, 70 : 15 : 15.

    Raises BadInput for other words, a split without train or test, or a group that is both learnt from and tested.
    """
    column = np.array([split_of_group(group) for group in groups] if split is None else list(split), dtype=object)
    if len(column) != len(groups):
        raise BadInput(f"split has {len(column)} entries; expected {len(groups)}, one for each vector")
    if odd := sorted({str(value) for value in column} - set(SPLITS)):
        raise BadInput(f"split holds {odd[0]!r}; expected {', '.join(SPLITS)}")
    for name in ("train", "test"):
        if not (column == name).any():
            raise BadInput(f"there are no {name} items; more items or groups are needed")
    if both := set(groups[column == "test"]) & set(groups[column != "test"]):
        raise BadInput(f"group {min(both)!r} is both learnt from and tested; expected whole groups in one split")
    return column
