"""Labelled: the items of one probing task, whoever labelled them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from workbench.core.errors import BadInput
from workbench.core.text import SPLITS
from workbench.data._task_items import split_of_group
from workbench.data.tasks import ProbeTask
from workbench.probe._inputs import has_missing


@dataclass(frozen=True)
class Labelled:
    """n items of one task: class codes (or grades), the groups they come from, and their split."""

    name: str
    labels: Shaped[np.ndarray, " n"]
    classes: tuple[str, ...]
    """Empty where labels are graded."""
    groups: tuple[str, ...]
    split: Shaped[np.ndarray, " n"]
    texts: tuple[str, ...] | None = None
    family: str = "own"
    silver: bool = False

    def __post_init__(self) -> None:
        n = len(self.labels)
        if len(self.groups) != n or len(self.split) != n or (self.texts is not None and len(self.texts) != n):
            raise BadInput(f"{self.name}: {n} labels, {len(self.groups)} groups and {len(self.split)} splits differ")
        for name in SPLITS:
            if not (self.split == name).any():
                raise BadInput(f"{self.name} has no {name} items; more items or groups are needed")
        if self.classes:
            missing = set(range(len(self.classes))) - set(np.unique(self.labels[self.split == "train"]).tolist())
            if len(self.classes) < 2 or missing:
                lost = ", ".join(self.classes[code] for code in sorted(missing)) or "a second class"
                raise BadInput(f"{self.name} has nothing to learn from for: {lost}")

    @classmethod
    def of(cls, task: ProbeTask) -> Labelled:
        """A task of the folder `probes`."""
        card = task.card
        classes = () if card.kind == "graded" else card.classes
        return cls(
            card.name, task.labels, classes, task.groups, task.split, task.texts, card.family, silver=card.silver
        )

    @property
    def learnt(self) -> Shaped[np.ndarray, " m"]:
        """Rows of train and validation, in order: what a probe sees."""
        return np.flatnonzero(self.split != "test")

    @property
    def test(self) -> Shaped[np.ndarray, " m"]:
        """Rows that no probe sees."""
        return np.flatnonzero(self.split == "test")

    def kept(self, n: int) -> Int[np.ndarray, " m"]:
        """The first `n` training rows and a quarter as many to validate and to test, in balance; all for 0."""
        if not n:
            return np.arange(len(self.labels))
        kinds = self.labels if self.classes else np.zeros(len(self.labels), dtype=np.int64)
        names, codes = np.unique(kinds, return_inverse=True)
        keep = np.zeros(len(kinds), dtype=bool)
        for split in SPLITS:
            most = max(1, (n if split == "train" else n // 4) // len(names))
            for code in range(len(names)):
                keep[np.flatnonzero((codes == code) & (self.split == split))[:most]] = True
        return np.flatnonzero(keep)

    def select(self, rows: Int[np.ndarray, " m"]) -> Labelled:
        """Some of the items."""
        texts = None if self.texts is None else tuple(self.texts[row] for row in rows)
        groups = tuple(self.groups_of(rows))
        return replace(self, labels=self.labels[rows], groups=groups, split=self.split[rows], texts=texts)

    def limited(self, n: int) -> Labelled:
        """The items of `kept`."""
        return self.select(self.kept(n))

    def groups_of(self, rows: Shaped[np.ndarray, " m"]) -> list[str]:
        """Groups of some rows."""
        return [self.groups[row] for row in rows]


def labelled_by(
    name: str,
    labels: Iterable[Any] | Shaped[np.ndarray, " n"],
    groups: Iterable[Any] | Shaped[np.ndarray, " n"] | None = None,
    texts: Iterable[str] | Shaped[np.ndarray, " n"] | None = None,
) -> Labelled:
    """The user's own labels: up to 50 distinct words or whole numbers are classes, other numbers are grades.

    Split 70 : 15 : 15 by the hash of the group, which is by default the text (so a text never stands in two splits),
    else the row. Raises BadInput for missing labels, or one value only.
    """
    column = np.asarray(labels if hasattr(labels, "__len__") else list(labels))
    if has_missing(column):
        raise BadInput(f"label {name!r} has missing values; leave those rows out")
    texts = None if texts is None else [str(text) for text in texts]
    keys = [str(group) for group in groups] if groups is not None else texts or list(map(str, range(len(column))))
    split = np.array([split_of_group(key) for key in keys])
    values, codes = np.unique(column.astype(str), return_inverse=True)
    graded = np.issubdtype(column.dtype, np.floating) or (np.issubdtype(column.dtype, np.integer) and len(values) > 50)
    most = min(200, len(column) // 5)
    if len(values) < 2 or (not graded and len(values) > most):
        raise BadInput(f"label {name!r} has {len(values)} distinct values; expected 2 to {most} classes, or numbers")
    held = tuple(texts) if texts is not None else None
    if graded:
        return Labelled(name, column.astype(np.float64), (), tuple(keys), split, held)
    return Labelled(name, codes.astype(np.int64), tuple(values.tolist()), tuple(keys), split, held)
