"""Directions: from one class of vectors to another. One method a file; the folder is the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from workbench.core.registry import Registry

if TYPE_CHECKING:
    from workbench.probe._inputs import Column
    from workbench.results.direction import Direction

__all__ = ["DIRECTIONS", "find_direction"]

DIRECTIONS = Registry("direction", "workbench.probe.directions")


def find_direction(
    vectors: Float[np.ndarray, "n d"],
    labels: Column,
    method: str = "mean-difference",
    *,
    positive: str = "",
    name: str = "",
    groups: Column | None = None,
    split: Column | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Direction:
    """The direction from one class to another by a registered method, made from what is not `test`, scored on `test`.

    `labels` has two values, or more and `positive` names the one that is set against all others; of two, the later is
    the positive one (True, 1, the later in the alphabet). Without `split`, the hash of the group decides, else of the
    row's number.
    Raises UnknownName, and BadInput for NaN, one class, or a class that is missing on either side of the split.
    """
    from workbench.probe.directions._finder import Finder, direction_between, sides_of

    member: Finder = DIRECTIONS.load(method)()
    sides = sides_of(vectors, labels, positive, groups, split, seed, device)
    return direction_between(sides, member, name)
