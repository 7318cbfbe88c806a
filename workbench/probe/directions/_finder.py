"""Finder: what a method of finding directions gives, and the two sides that it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Shaped

from workbench.core.errors import BadInput
from workbench.core.estimate import auc
from workbench.core.vectors import live
from workbench.probe._inputs import Coded, Column, checked_vectors, coded, group_names, split_column
from workbench.results.direction import Direction, RandomTest

__all__ = ["Finder", "Found", "Sides", "direction_between", "sides_of"]


@dataclass(frozen=True)
class Sides:
    """n learnt and m held-out vectors of two classes; `validation` marks the learnt rows that tune penalties."""

    learnt: Float[np.ndarray, "n d"]
    learnt_positive: Bool[np.ndarray, " n"]
    validation: Bool[np.ndarray, " n"]
    groups: Shaped[np.ndarray, " n"]
    held: Float[np.ndarray, "m d"]
    held_positive: Bool[np.ndarray, " m"]
    positive: str
    negative: str
    seed: int
    device: str
    left_out: str = ""
    """How many rows have no label, in words."""

    @property
    def live(self) -> Bool[np.ndarray, " d"]:
        """Dimensions that vary; a weight on the others would be nearly all of a direction."""
        return live(self.learnt)

    def widened(self, weight: Float[np.ndarray, " e"]) -> Float[np.ndarray, " d"]:
        """A weight of the live dimensions, as one of all."""
        out = np.zeros(self.learnt.shape[1])
        out[self.live] = weight
        return out


@dataclass(frozen=True)
class Found:
    """A weight of any length that grows towards the positive class, and the test against random ones, if made."""

    weight: Float[np.ndarray, " d"]
    random_test: RandomTest | None = None


class Finder(ABC):
    """A method of finding a direction."""

    name: ClassVar[str]

    @abstractmethod
    def find(self, sides: Sides) -> Found:
        """The direction's weight from the learnt side; the held-out side is for tests alone."""


def direction_between(sides: Sides, finder: Finder, name: str = "") -> Direction:
    """The Direction that a finder gives for two sides. Raises BadInput where there is none."""
    found = finder.find(sides)
    length = float(np.linalg.norm(found.weight))
    if not (np.isfinite(length) and length > 0):
        raise BadInput(f"{finder.name} found no direction: both classes have the same vectors")
    vector = found.weight / length
    along = sides.learnt @ vector
    high, low = float(along[sides.learnt_positive].mean()), float(along[~sides.learnt_positive].mean())
    if not high > low:
        raise BadInput(f"{finder.name} found no direction: the classes' means do not differ along it")
    held = sides.held @ vector
    return Direction(
        name=name or f"{sides.positive} against {sides.negative}",
        method=finder.name,
        positive=sides.positive,
        negative=sides.negative,
        vector=vector,
        offset=(high + low) / 2,
        scale=high - low,
        auc=auc(held[sides.held_positive], held[~sides.held_positive], sides.seed),
        train=len(sides.learnt),
        test=len(sides.held),
        random_test=found.random_test,
        left_out=sides.left_out,
    )


def sides_of(
    vectors: Float[np.ndarray, "n d"],
    labels: Column,
    positive: str = "",
    groups: Column | None = None,
    split: Column | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Sides:
    """Both sides of the split, checked. Raises BadInput as `find_direction` says."""
    table = checked_vectors(vectors)
    classes = coded(labels, len(table))
    wanted = _positive(classes, positive)
    names = group_names(groups, len(table))
    column = split_column(split, names)
    table, names, column, codes = (each[classes.rows] for each in (table, names, column, classes.codes))
    learnt = column != "test"
    truth = codes == wanted
    for side, rows in (("learn from", learnt), ("test", ~learnt)):
        if truth[rows].all() or not truth[rows].any():
            lacks = "no other class" if truth[rows].all() else f"no item of class {classes.names[wanted]!r}"
            raise BadInput(f"among the {int(rows.sum())} items to {side} there is {lacks}; expected both sides")
    return Sides(
        learnt=table[learnt],
        learnt_positive=truth[learnt],
        validation=column[learnt] == "validation",
        groups=names[learnt],
        held=table[~learnt],
        held_positive=truth[~learnt],
        positive=classes.names[wanted],
        negative=classes.names[1 - wanted] if len(classes.names) == 2 else "the rest",
        seed=seed,
        device=device,
        left_out=classes.left_out,
    )


def _positive(classes: Coded, positive: str) -> int:
    if positive:
        if positive not in classes.names:
            raise BadInput(f"positive is {positive!r}; expected one of {', '.join(classes.names)}")
        return classes.names.index(positive)
    if len(classes.names) > 2:
        raise BadInput(f"labels has {len(classes.names)} classes; name one as `positive`: {', '.join(classes.names)}")
    return 1
