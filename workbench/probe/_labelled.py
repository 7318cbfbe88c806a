"""Labelled: the items of one probing task, whoever labelled them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int, Shaped

from workbench.core.errors import BadInput, as_texts
from workbench.core.labels import Column, Labels, group_keys
from workbench.core.text import SPLITS
from workbench.data._task_items import split_of_group
from workbench.data.tasks import ProbeTask


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
    left_out: str = ""
    """How many rows have no label, in words; their split is empty, and their code is -1 (their grade NaN)."""

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
        return np.flatnonzero(np.isin(self.split, ("train", "validation")))

    @property
    def test(self) -> Shaped[np.ndarray, " m"]:
        """Rows that no probe sees."""
        return np.flatnonzero(self.split == "test")

    def kept(self, n: int) -> Int[np.ndarray, " m"]:
        """The first `n` training rows and a quarter as many to validate and to test, in balance; all for 0."""
        if not n:
            return np.flatnonzero(np.isin(self.split, SPLITS))
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
    labels: Column,
    groups: Column | None = None,
    texts: Column | None = None,
) -> Labelled:
    """The user's own labels: words and up to 50 distinct whole numbers are classes, other numbers are grades.

    Rows whose label is missing (`workbench.core.labels` has the rule) stay in their places without a split, so that no
    probe sees them; `left_out` counts them. The others are split 70 : 15 : 15 by the hash of the group, which is by
    default the text (so a text never stands in two splits), else the row. `texts` are any column of strings.
    Raises BadInput for one value only, and for texts that are no strings.
    """
    read = Labels.of(labels, None, f"label {name!r}")
    n, present = len(read.values), read.present
    held = None if texts is None else tuple(as_texts(texts))
    named = held if groups is None else groups
    keys = list(map(str, range(n))) if named is None else group_keys(named)
    if len(keys) != n:
        raise BadInput(f"{read.what} has {n} rows but {'groups' if groups is not None else 'texts'} has {len(keys)}")
    split = np.array([split_of_group(key) if there else "" for key, there in zip(keys, present, strict=True)])
    most = min(200, int(present.sum()) // 5)
    if read.graded:
        if len({*read.values} - {None}) < 2:
            raise BadInput(f"{read.what} has one distinct value; expected numbers that differ")
        return Labelled(name, read.grades(), (), tuple(keys), split, held, left_out=read.left_out)
    names, codes = read.classes()
    if not 2 <= len(names) <= most:
        said = f"{read.what} has {len(names)} distinct values; expected 2 to {most} classes, or numbers"
        raise BadInput(f"{said} ({read.left_out})" if read.left_out else said)
    return Labelled(name, codes, names, tuple(keys), split, held, left_out=read.left_out)
