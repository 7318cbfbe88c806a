"""Which rows an insider has labels of, which are hidden, and on which a penalty is tuned."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Shaped

from workbench.core.errors import BadInput
from workbench.probe import Labelled
from workbench.probe._inputs import coded

_FOLDS = 5


def labelled(name: str, column: Shaped[np.ndarray, " n"], groups: list[str], seed: int = 0) -> Labelled:
    """A label column as classes; a fifth of the rows is hidden and a fifth validates, whole groups, classes in balance.

    Unlike the probes' split by hash it also suits a store of few groups. Rows without a label have no split. Raises
    BadInput where labels are no classes, where a class has fewer than five rows or one to learn from, and for fewer
    than three groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    what = f"label {name!r}"
    held = coded(column, len(groups), what)
    own = np.array(groups, object)[held.rows]
    count = len({*own.tolist()})
    if count < 3:
        raise BadInput(f"{what} has rows of {count} groups; expected at least 3: some to learn from, some to hide")
    rare, few = held.names[int(held.counts.argmin())], int(held.counts.min())
    if few < _FOLDS:
        raise BadInput(f"{what} has {few} rows of {rare!r}; expected {_FOLDS} at least: merge or leave out rare ones")
    folds = StratifiedGroupKFold(min(_FOLDS, count), shuffle=True, random_state=seed)
    split = np.full(len(groups), "", object)
    split[held.rows] = "train"
    parts = folds.split(np.zeros((len(own), 1)), held.codes[held.rows], own)
    for part, (_, rows) in zip(("test", "validation"), parts, strict=False):
        split[held.rows[rows]] = part
    data = Labelled(name, held.codes, held.names, tuple(groups), split, left_out=held.left_out)
    counts = np.bincount(data.labels[data.learnt], minlength=len(held.names))
    if counts.min() < 2:
        raise BadInput(f"{what} leaves one row to learn {held.names[int(counts.argmin())]!r} from: it has few groups")
    return data


def validation_rows(data: Labelled) -> Bool[np.ndarray, " m"]:
    """Of the rows that are learnt from, those that a penalty is tuned on: whole groups if these have every class, else
    every fourth row of a class, one at least."""
    rows = data.learnt
    chosen = data.split[rows] == "validation"
    labels = data.labels[rows]
    if len({*labels[chosen].tolist()}) == len(data.classes) == len({*labels[~chosen].tolist()}):
        return chosen
    chosen = np.zeros(len(rows), bool)
    for code in range(len(data.classes)):
        chosen[np.flatnonzero(labels == code)[1::4]] = True
    return chosen
