"""Attribute inference: who knows an attribute of some hidden texts reads it off the vectors of the others.

Most claimed leaks are imputation (Jayaraman and Evans 2022, "Are attribute inference attacks just imputation?"): what
the other columns say already is no leak of the vectors. So both stand side by side, on the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.audit._insider import labelled, validation_rows
from workbench.audit._linkage import distinct
from workbench.audit._side import side_model, side_table
from workbench.core.access import LEAKED_PAIRS, Access, ThreatModel
from workbench.core.claims import sign_flip
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput, UnknownName
from workbench.core.estimate import Estimate, proportion
from workbench.core.few import further_size, pseudo_ratio
from workbench.core.labels import group_keys
from workbench.core.means import mean_gain
from workbench.core.progress import progress
from workbench.core.text import normalise
from workbench.core.vectors import live
from workbench.probe import Labelled
from workbench.probe._estimators import linear_probe
from workbench.probe._scoring import Resampler, score
from workbench.results.attribute_inference import PRIOR, SIDE, AttributeInference, AttributeScores
from workbench.results.probe_scores import Gain

NEEDS = Access.PAIRS
"""Some vectors with what is known of their texts."""
SIZES = (10, 30, 100, 300, 1000)
DRAWS = 5


def infer_attributes(
    store: SetLike,
    labels: Sequence[str],
    side: Sequence[str] | None = None,
    groups: str = "",
    sizes: Sequence[int] = SIZES,
    threat: ThreatModel = LEAKED_PAIRS,
    seed: int = 0,
) -> AttributeInference:
    """What an insider, who has the columns `labels` of most rows, tells of the rest from their vectors.

    `side` names the columns that need no vector; None means all others. Rows of one value of the column `groups` (a
    person, a document) are all learnt from or all hidden; without it, rows of one text or of equal vectors are. `sizes`
    are the points of the learning curve. Raises BadInput where labels are no classes or too few, UnknownName for a
    column that is not there, and AccessDenied where the threat model does not grant NEEDS.
    """
    store = EmbeddingSet.of(store)
    threat.admit("attribute-inference", NEEDS)
    began = time.monotonic()
    if not labels:
        raise BadInput(f"no label to infer; the store has: {', '.join(store.labels) or 'no label columns'}")
    for name in (*labels, *(side or ()), *([groups] if groups else ())):
        if name not in store.labels:
            raise UnknownName("label", name, tuple(store.labels))
    alone = labels[0] if len({*labels}) == 1 else groups
    others = tuple(name for name in (store.labels if side is None else side) if name not in (groups, alone))
    keys, rows, left_out = _keys(store, groups), [], []
    with progress("attributes", len(labels), "attributes") as advance:
        for name in dict.fromkeys(labels):
            held = labelled(name, store.labels[name], keys, seed)
            known = {other: store.labels[other] for other in others if other != name}
            left_out += [held.left_out] if held.left_out else []
            rows.append(_Insider.of(held, store.vectors, known, seed).scores(sizes))
            advance(1)
    return AttributeInference(tuple(rows), others, DRAWS, time.monotonic() - began, tuple(left_out))


@dataclass(frozen=True)
class _Insider:
    """One attribute: what is learnt from and what is hidden, vectors and side information of both."""

    data: Labelled
    vectors: Float[np.ndarray, "n d"]
    side: Float[np.ndarray, "n s"] | None
    resampler: Resampler
    seed: int

    @classmethod
    def of(cls, data: Labelled, vectors: np.ndarray, columns: dict[str, np.ndarray], seed: int) -> _Insider:
        table = side_table(columns, data.learnt) if columns else None
        side = table if table is not None and table.shape[1] else None
        # every vector is known, so their spread is too, however few labels there are
        spread = vectors.std(0)
        scaled = (vectors - vectors.mean(0)) / np.where(live(vectors), spread, np.inf)
        return cls(data, scaled.astype(np.float32), side, Resampler(data.groups_of(data.test), seed), seed)

    def scores(self, sizes: Sequence[int]) -> AttributeScores:
        """All numbers of the attribute."""
        data, share = self.data, self.resampler.share
        learnt, truth = data.labels[data.learnt], data.labels[data.test]
        usual = (truth == np.bincount(learnt).argmax()).astype(float)
        if usual.all():
            raise BadInput(f"label {data.name!r}: all {len(truth)} hidden rows are of one class; more rows are needed")
        validation = validation_rows(data)
        reader = linear_probe(validation, self.seed).fit(self.vectors[data.learnt], learnt)
        chances = _chances(reader, self.vectors[data.test], len(data.classes))
        right = (chances.argmax(1) == truth).astype(float)
        gains = [self._gain(PRIOR, right - usual)]
        told, together = None, None
        if self.side is not None:
            imputer = side_model(validation, self.side[data.learnt], learnt, self.seed)
            imputed = _chances(imputer, self.side[data.test], len(data.classes))
            told = (imputed.argmax(1) == truth).astype(float)
            fused = self._fused(reader, imputer, (chances, imputed))
            together = (fused == truth).astype(float)
            gains.append(self._gain(SIDE, together - told))
        added = right - usual if told is None or together is None else together - told
        return AttributeScores(
            label=data.name,
            classes=len(data.classes),
            learnt=len(data.learnt),
            test=len(truth),
            groups=self.resampler.count,
            prior=share(usual),
            side=None if told is None else share(told),
            vectors=share(right),
            both=None if together is None else share(together),
            balanced=score(truth, chances, self.resampler).balanced,
            advantage=self._advantage(right, usual),
            side_advantage=None if told is None else self._advantage(told, usual),
            excess=self._mean(added),
            gains=tuple(gains),
            curve=tuple((n, self._advantage(self._few(n), usual)) for n in sizes if n <= len(learnt)),
        )

    def _fused(self, reader: Any, imputer: Any, told: tuple[np.ndarray, np.ndarray]) -> Int[np.ndarray, " m"]:
        """Classes of the hidden rows by the weighted log-probabilities of both models and the classes' frequencies.

        The three weights are learnt where the models were not fitted: from parts of the learnt rows that are left out
        in turn.
        """
        from scipy.optimize import minimize
        from sklearn.base import clone
        from sklearn.model_selection import GroupKFold, cross_val_predict

        assert self.side is not None  # it is called where there is some
        data = self.data
        learnt, groups = data.labels[data.learnt], data.groups_of(data.learnt)
        folds = GroupKFold(min(5, len({*groups})))

        def left_out(model: Any, table: np.ndarray) -> np.ndarray:
            fresh, rows = clone(model.best_estimator_), table[data.learnt]
            return np.asarray(cross_val_predict(fresh, rows, learnt, groups=groups, cv=folds, method="predict_proba"))

        frequency = np.bincount(learnt) / len(learnt)
        seen = _logs(left_out(reader, self.vectors), left_out(imputer, self.side), frequency)

        def loss(weights: np.ndarray) -> float:
            sums = np.tensordot(weights, seen, 1)
            return float((np.logaddexp.reduce(sums, 1) - sums[np.arange(len(learnt)), learnt]).mean())

        weights = minimize(loss, np.array([1.0, 1.0, -1.0]), method="Nelder-Mead").x
        return np.tensordot(weights, _logs(*told, frequency), 1).argmax(1)

    def _few(self, n: int) -> Float[np.ndarray, " m"]:
        """How often each hidden row is told right from n labelled vectors, over random choices of them."""
        from sklearn.linear_model import LogisticRegression

        data = self.data
        truth, right = data.labels[data.test], np.zeros(len(data.test))
        for draw in range(DRAWS):
            order = np.random.default_rng([self.seed, n, draw]).permutation(data.learnt)
            taken = order[:n]
            if len({*data.labels[taken].tolist()}) < 2:
                right += truth == data.labels[taken[0]]
                continue
            model = LogisticRegression(C=3 / self.vectors.shape[1], max_iter=500)
            right += model.fit(self.vectors[taken], data.labels[taken]).predict(self.vectors[data.test]) == truth
        return right / DRAWS

    def _gain(self, over: str, gains: np.ndarray) -> Gain:
        return Gain(over, float(gains.mean()), sign_flip(gains, self.resampler.names, self.seed))

    def _advantage(self, right: np.ndarray, usual: np.ndarray) -> Estimate:
        """(accuracy - prior) / (1 - prior), both on the same rows of every draw; exact limits where nothing varies."""
        resampler = self.resampler
        above, below = np.bincount(resampler.rows, right - usual), np.bincount(resampler.rows, 1 - usual)
        value, room = float(above.sum() / below.sum()), 1 - float(usual.mean())
        if resampler.count == 1:
            return resampler.none(value)
        if right.all() or not above.any():
            limit = proportion(0, resampler.count).high / room
            return Estimate(value, value - limit, min(1.0, value + limit), resampler.count, "Clopper-Pearson")
        if resampler.few:  # one further group is all right, or its most frequent class alone is
            size = further_size(resampler.sizes)
            low, high = pseudo_ratio(above, below, (-size, 0.0), (size, size), self.seed)
            return Estimate(value, low, min(1.0, high), resampler.count, f"Gaffke, {resampler.count} groups")
        with np.errstate(invalid="ignore", divide="ignore"):
            return resampler.estimate(value, (resampler.draws @ above) / (resampler.draws @ below))

    def _mean(self, values: np.ndarray) -> Estimate:
        """Of paired differences, which may be below 0."""
        return mean_gain(values, self.resampler.names, self.seed)


def _keys(store: EmbeddingSet, groups: str) -> list[str]:
    """What must not be both learnt from and hidden."""
    if groups:
        return group_keys(store.labels[groups])
    if store.texts is not None:
        return [normalise(str(text)) or str(text) for text in store.texts]
    return [str(place) for place in distinct(store.vectors).member]


def _chances(model: Any, table: np.ndarray, k: int) -> Float[np.ndarray, "m k"]:
    out = np.zeros((len(table), k))
    out[:, model.classes_] = model.predict_proba(table)
    return out


def _logs(read: np.ndarray, imputed: np.ndarray, frequency: np.ndarray) -> Float[np.ndarray, "3 m k"]:
    return np.log(np.stack([read, imputed, np.broadcast_to(frequency, read.shape)]) + 1e-4)
