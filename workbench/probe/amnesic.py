"""amnesic_check: erase an attribute, probe again, and say what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from workbench.core.claims import sign_flip
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate, mean, mean_share, proportion
from workbench.core.means import mean_cosine
from workbench.core.vectors import unit
from workbench.probe._estimators import linear_probe, mlp_probe
from workbench.probe._inputs import Column, checked_vectors, coded, group_names, split_column
from workbench.probe._scoring import Resampler, score
from workbench.probe.erasure import Eraser
from workbench.results.erasure import (
    BEFORE,
    CONTROL,
    ERASED,
    LINEAR,
    MLP,
    RENORMALISED,
    UNSEEN,
    AmnesicCheck,
    Cost,
    Kept,
    Reading,
)

__all__ = ["amnesic_check"]

_NEIGHBOURS = 10
_MOST_QUERIES = 5000
_DIGITS = 6
"""Of probabilities: the weight of a probe that found nothing is rounding, and must not rank the items."""


def amnesic_check(
    vectors: Float[np.ndarray, "n d"],
    labels: Column,
    groups: Column | None = None,
    split: Column | None = None,
    *,
    attribute: str = "the attribute",
    embedder: str = "unknown",
    others: Mapping[str, Column] | None = None,
    mlp: bool = True,
    shrinkage: bool = True,
    seed: int = 0,
) -> AmnesicCheck:
    """Erase an attribute of n vectors by LEACE, fitted on training rows, and measure on test rows what is left.

    Probes are trained anew on each kind of vectors: as they are, erased, erased and renormalised (which leaks),
    and with as many random dimensions removed, the control of Elazar et al. 2021 (amnesic probing). Besides, one linear
    probe learns from validation rows, which the eraser did not see, and an MLP shows what is not linear. `others` are
    further labels of the same rows: how well each is read before and after says what else the erasure took.

    `groups` are documents or persons: no group may stand in two splits, and intervals are over groups (Wilson's where
    there are none). Without `split`, the hash of the group (else the row) decides, 70 : 15 : 15.

    Raises BadInput for NaN or zero vectors, one class, fewer than ten training rows a class on average, or a class that
    is not in training and validation.
    """
    began = time.monotonic()
    table = checked_vectors(vectors)
    if not table.any(axis=1).all():
        row = int(np.flatnonzero(~table.any(axis=1))[0])
        raise BadInput(f"row {row} is a zero vector, which has no cosine; leave such rows out")
    names = group_names(groups, len(table))
    column = split_column(split, names)
    if not (column == "validation").any():
        raise BadInput("there are no validation items, on which penalties are tuned; more items or groups are needed")
    here = coded(labels, len(table), attribute)
    if here.left_out:
        column = np.where(here.codes >= 0, column, "")
    rows = _Rows(
        train=np.flatnonzero(column == "train"),
        validation=np.flatnonzero(column == "validation"),
        test=np.flatnonzero(column == "test"),
        groups=names[column == "test"],
        grouped=groups is not None,
        seed=seed,
    )
    wanted = _Attribute.of(attribute, labels, table, rows)
    eraser = Eraser.fit(table[rows.train], wanted.codes[rows.train], shrinkage)
    kept = [_Attribute.of(name, other, table, rows) for name, other in (others or {}).items()]
    erased = eraser.erase(table)
    control = _without_random(table, table[rows.train].mean(0), eraser.rank, seed)
    kinds = {BEFORE: table, ERASED: erased, CONTROL: control}
    readings = [wanted.read(kind, LINEAR, found) for kind, found in kinds.items()]
    readings.append(wanted.read(RENORMALISED, LINEAR, eraser.erase(table, renormalise=True)))
    readings.append(wanted.read(ERASED, UNSEEN, erased))
    if mlp:
        readings += [wanted.read(kind, MLP, found) for kind, found in kinds.items()]
    return AmnesicCheck(
        attribute=attribute,
        embedder=embedder,
        classes=wanted.names,
        train=len(rows.train),
        validation=len(rows.validation),
        test=len(rows.test),
        groups=rows.resampler.count,
        dim=table.shape[1],
        rank=eraser.rank,
        penalty=wanted.penalty,
        majority=rows.share(wanted.usual()),
        readings=tuple(readings),
        costs=tuple(_cost(kind, table, kinds[kind], rows) for kind in (ERASED, CONTROL)),
        kept=tuple(_kept(each, kinds, each.rows) for each in kept),
        seed=seed,
        seconds=time.monotonic() - began,
        left_out=tuple(each.left_out for each in (wanted, *kept) if each.left_out),
    )


class _Rows:
    """Which rows are learnt from and which are tested, and how shares of test rows get their interval."""

    def __init__(
        self,
        train: Int[np.ndarray, " a"],
        validation: Int[np.ndarray, " b"],
        test: Int[np.ndarray, " m"],
        groups: Shaped[np.ndarray, " m"],
        grouped: bool,
        seed: int,
    ) -> None:
        self.train, self.validation, self.test, self.seed = train, validation, test, seed
        self.groups, self.grouped = groups, grouped
        self.resampler = Resampler(groups.tolist(), seed)

    def within(self, kept: Bool[np.ndarray, " n"]) -> _Rows:
        """Those of the rows that are kept."""
        if kept[np.concatenate([self.train, self.validation, self.test])].all():
            return self
        train, validation, test = (part[kept[part]] for part in (self.train, self.validation, self.test))
        return _Rows(train, validation, test, self.groups[kept[self.test]], self.grouped, self.seed)

    def share(self, right: Shaped[np.ndarray, " m"]) -> Estimate:
        """Share of test rows."""
        return self.resampler.share(right.astype(float)) if self.grouped else proportion(int(right.sum()), len(right))

    def mean(self, values: Float[np.ndarray, " m"], of: Callable[..., Estimate] = mean) -> Estimate:
        """Mean over test rows, or the first of them."""
        return of(values, self.groups[: len(values)] if self.grouped else None, self.seed)


@dataclass(frozen=True)
class _Attribute:
    """An attribute, and how it is probed."""

    names: tuple[str, ...]
    codes: Int[np.ndarray, " n"]
    penalty: float
    rows: _Rows
    """Those that have a label."""
    what: str
    left_out: str

    @classmethod
    def of(cls, what: str, labels: Column, table: Float[np.ndarray, "n d"], rows: _Rows) -> _Attribute:
        """The penalty is tuned on vectors as they are and then kept: after erasure, any is as good as another."""
        found = coded(labels, len(table), what)
        rows = rows.within(found.codes >= 0)
        k = len(found.names)
        learnt, seen = (np.bincount(found.codes[part], minlength=k) for part in (rows.train, rows.validation))
        if learnt.min() < 2 or seen.min() < 1 or len(rows.train) < 10 * k:
            few = int(np.argmin(np.minimum(learnt - 1, seen)))
            raise BadInput(
                f"{what} has {len(rows.train)} training items of {k} classes, of {found.names[few]!r} {learnt[few]} "
                f"and {seen[few]} to validate; expected {10 * k} in all, and 2 and 1 of each class"
            )
        both = np.concatenate([rows.train, rows.validation])
        grid = linear_probe(np.isin(both, rows.validation), rows.seed).set_params(refit=False)
        penalty = float(grid.fit(table[both], found.codes[both]).best_params_["logisticregression__C"])
        return cls(found.names, found.codes, penalty, rows, what, found.left_out)

    def usual(self) -> Shaped[np.ndarray, " m"]:
        """Which test rows are of the class that is most frequent in training."""
        counts = np.bincount(self.codes[self.rows.train])
        return self.codes[self.rows.test] == counts.argmax()

    def linear(self, vectors: Float[np.ndarray, "n d"], rows: Int[np.ndarray, " a"]) -> Float[np.ndarray, "m k"]:
        """Class probabilities of the test rows under a linear probe of some rows."""
        pipeline = linear_probe(np.zeros(len(rows), dtype=bool), self.rows.seed).estimator
        return self._chances(pipeline.set_params(logisticregression__C=self.penalty), vectors, rows)

    def read(self, kind: str, probe: str, vectors: Float[np.ndarray, "n d"]) -> Reading:
        """What one probe reads from one kind of vectors."""
        rows = self.rows
        if probe == MLP:
            chances = self._chances(mlp_probe(rows.seed), vectors, rows.train)
        else:
            chances = self.linear(vectors, rows.validation if probe == UNSEEN else rows.train)
        truth = self.codes[rows.test]
        right = chances.argmax(1) == truth
        gains = right.astype(np.float64) - self.usual()
        p = sign_flip(gains, rows.groups, rows.seed) if gains.any() else 1.0
        return Reading(kind, probe, rows.share(right), score(truth, chances, rows.resampler).auc, p)

    def _chances(
        self, probe: Any, vectors: Float[np.ndarray, "n d"], rows: Int[np.ndarray, " a"]
    ) -> Float[np.ndarray, "m k"]:
        probe.fit(vectors[rows], self.codes[rows])
        chances = np.zeros((len(self.rows.test), len(self.names)))
        chances[:, probe.classes_] = probe.predict_proba(vectors[self.rows.test])
        return chances.round(_DIGITS)


def _kept(other: _Attribute, kinds: Mapping[str, Float[np.ndarray, "n d"]], rows: _Rows) -> Kept:
    truth = other.codes[rows.test]
    found = {kind: rows.share(other.linear(table, rows.train).argmax(1) == truth) for kind, table in kinds.items()}
    return Kept(other.what, rows.share(other.usual()), found[BEFORE], found[ERASED], found[CONTROL])


def _without_random(
    table: Float[np.ndarray, "n d"], centre: Float[np.ndarray, " d"], rank: int, seed: int
) -> Float[np.ndarray, "n d"]:
    """The vectors without a random subspace of the same rank, about the same mean."""
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((table.shape[1], rank)))[0]
    return table - ((table - centre) @ basis) @ basis.T


def _cost(kind: str, before: Float[np.ndarray, "n d"], after: Float[np.ndarray, "n d"], rows: _Rows) -> Cost:
    one, two = unit(before[rows.test]), unit(after[rows.test])
    cosines = (one * two).sum(1)
    return Cost(kind, rows.mean(cosines, mean_cosine), rows.mean(_overlap(one, two), mean_share))


def _overlap(one: Float[np.ndarray, "m d"], two: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " q"]:
    """Share of each vector's nearest neighbours by cosine that stay; at most the first `_MOST_QUERIES` vectors."""
    one, two = one[:_MOST_QUERIES], two[:_MOST_QUERIES]
    k = min(_NEIGHBOURS, len(one) - 1)
    if k < 1:
        raise BadInput(f"there are {len(one)} test items; expected at least 2, to compare their neighbours")
    out = []
    for start in range(0, len(one), 500):
        near = [_nearest(table, start, k) for table in (one, two)]
        out += [len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)]
    return np.array(out)


def _nearest(table: Float[np.ndarray, "m d"], start: int, k: int) -> Int[np.ndarray, "q k"]:
    cosines = table[start : start + 500] @ table.T
    rows = np.arange(len(cosines))
    cosines[rows, start + rows] = -np.inf  # a vector is not its own neighbour
    return np.argpartition(-cosines, k - 1, axis=1)[:, :k]
