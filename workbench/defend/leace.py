"""LEACE: what a linear probe reads of named attributes is erased, with the least change of vectors"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import BadInput, UnknownName
from workbench.core.labels import Labels
from workbench.core.vectors import require_finite
from workbench.defend._defence import Fitter, Map
from workbench.defend._projection import Projection

__all__ = ["Leace"]

_MOST_CLASSES = 200


@dataclass(frozen=True)
class Leace(Fitter):
    """Erases attributes, named with `+` between them; without a name the one that `fit` is given labels of."""

    attributes: str = ""

    def fit(
        self,
        vectors: Float[np.ndarray, "n d"],
        random: np.random.Generator,
        labels: Mapping[str, Any] | None = None,
    ) -> Erased:
        """One attribute after the other; vectors that are uncorrelated with the first stay so under the second's map.

        Raises UnknownName for an attribute without labels; BadInput for no labels, grades, or other than 2 to 200
        classes. Rows without a label are left out of the fit of their attribute, and are erased like the others.
        """
        require_finite(vectors)
        known = dict(labels or {})
        names = tuple(self.attributes.split("+")) if self.attributes else tuple(known)
        if len(names) != 1 and not self.attributes:
            there = ", ".join(known) or "none"
            raise BadInput(f"leace erases named attributes; expected leace:LABEL+LABEL, of the labels there: {there}")
        table = vectors.astype(np.float64)
        steps, left_out = [], []
        for name in names:
            if name not in known:
                raise UnknownName("label", name, tuple(known))
            codes, without = _codes(name, known[name], len(table))
            left_out += [without] if without else []
            steps.append(Projection.fit(table[codes >= 0], codes[codes >= 0]))
            table = steps[-1].erase(table)
        return Erased(names, tuple(steps), tuple(left_out))


@dataclass(frozen=True, eq=False)
class Erased(Map):
    """Vectors without the attributes. A probe that is not linear may still read them; `amnesic_check` measures it."""

    attributes: tuple[str, ...]
    steps: tuple[Projection, ...]
    left_out: tuple[str, ...] = ()
    """How many rows had no label in `fit`, in words, for each attribute that some lack."""

    def map(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Not renormalised, which would undo a part. Raises BadInput for another dimension than in `fit`."""
        table = vectors.astype(np.float64)
        for step in self.steps:
            table = step.erase(table)
        return table.astype(np.float32)

    def facts(self) -> dict[str, str]:
        """Mechanism, and against what it holds."""
        said = ", ".join(f"{name} ({step.rank} dim.)" for name, step in zip(self.attributes, self.steps, strict=True))
        return {
            "mechanism": f"least-squares concept erasure of {said}",
            "guarantee": "no linear probe reads the labels of the rows it was fitted on; none for other probes or rows",
            **({"left out of the fit": "; ".join(self.left_out)} if self.left_out else {}),
        }


def _codes(name: str, column: Any, n: int) -> tuple[Int[np.ndarray, " n"], str]:
    """Classes of n rows, -1 where one has none, and how many have none, in words."""
    read = Labels.of(column, n, f"label {name!r}")
    kinds, codes = read.classes()
    if not 2 <= len(kinds) <= _MOST_CLASSES:
        raise BadInput(f"label {name!r} has {len(kinds)} distinct values; expected 2 to {_MOST_CLASSES} classes")
    return codes, read.left_out
