"""Attackers of defended vectors: a static probe, retrained ones, known pairs, the mean of many releases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from workbench.audit._utility import neighbours_kept
from workbench.core.errors import BadInput
from workbench.core.ranking import cosines
from workbench.core.vectors import live, unit
from workbench.defend._defence import Defence
from workbench.invert._align import fit_procrustes, fit_ridge_map
from workbench.probe._estimators import linear_probe, mlp_probe
from workbench.probe._labelled import Labelled
from workbench.results.defences import LINEAR, MLP, STATIC

PAIRS = (10, 25, 50, 100)
"""Known pairs of a true and a defended vector."""
RELEASES = (4, 16, 64)
"""Releases that are averaged; one release is what the static probe reads."""


@dataclass(frozen=True, eq=False)
class Attacked:
    """What came of one defence with one seed: for each of m test rows, whether each attacker named its class."""

    right: dict[str, Bool[np.ndarray, " m"]]
    recovered: Float[np.ndarray, " m"]
    averaged: Float[np.ndarray, " m"] | None
    neighbours: Float[np.ndarray, " m"]
    dim: int


class Attackers:
    """Those who learn from the labelled rows of some vectors, whatever then defends them."""

    def __init__(self, data: Labelled, vectors: Float[np.ndarray, "n d"]) -> None:
        if not data.classes:
            raise BadInput(f"{data.name} is graded; attackers read classes: cut the grades into classes")
        if len(data.test) < 2:
            raise BadInput(f"{data.name} has {len(data.test)} test rows; expected at least 2")
        self._data = data
        self._validation = data.split[data.learnt] == "validation"
        self._seen, self._hidden = vectors[data.learnt], vectors[data.test]
        self._known, self._truth = data.labels[data.learnt], data.labels[data.test]
        self._length = float(np.linalg.norm(self._seen, axis=1).mean())
        self._live = live(self._seen)  # a static weight on a dimension without spread would shout down all others
        self._static = self._probe(self._seen[:, self._live])
        self._last: tuple[bytes, Any] = (b"", None)

    def attack(self, defence: Defence, random: np.random.Generator, seed: int) -> Attacked:
        """All attacks on one frozen defence."""
        seen, hidden = defence.apply(self._seen, random), defence.apply(self._hidden, random)
        right = {
            STATIC: self._read_static(hidden),
            LINEAR: self._read(self._retrained(seen), hidden),
            MLP: self._read(mlp_probe(seed).fit(seen, self._known), hidden),
        }
        order = random.permutation(len(seen))
        for k in pairs_of(len(seen)):
            back = fit_procrustes(seen[order[:k]], self._seen[order[:k]])
            right[f"{k} known pairs"] = self._read_static(self._length * back.apply(hidden))
        back = fit_ridge_map(seen, self._seen)
        averaged = None
        if defence.fresh:
            total, done = hidden.astype(np.float64), 1
            for m in RELEASES:
                for _ in range(done, m):
                    total += defence.apply(self._hidden, random)
                done = m
                right[f"mean of {m} releases"] = self._read_static((total / m).astype(np.float32))
            averaged = cosines(unit(total), unit(self._hidden))
        return Attacked(
            right,
            cosines(back.apply(hidden), unit(self._hidden)),
            averaged,
            neighbours_kept(self._hidden, defence.ask(self._hidden), hidden),
            hidden.shape[1],
        )

    def prior(self) -> Bool[np.ndarray, " m"]:
        """Which test rows are of the class that is most frequent among the learnt ones."""
        return self._truth == np.bincount(self._known).argmax()

    def recovered_prior(self) -> Float[np.ndarray, " m"]:
        """Cosine of each test vector with the mean of the learnt ones."""
        return unit(self._hidden).astype(np.float64) @ unit(unit(self._seen).mean(0, keepdims=True))[0]

    def _probe(self, vectors: Float[np.ndarray, "n e"]) -> Any:
        """In double precision: under strong noise the line search of single precision may fail."""
        return linear_probe(self._validation).fit(vectors.astype(np.float64), self._known)

    def _retrained(self, vectors: Float[np.ndarray, "n e"]) -> Any:
        """Kept for the next seed, which changes nothing where a defence has no chance and no key."""
        content = vectors.tobytes()
        if self._last[0] != content:
            self._last = (content, self._probe(vectors))
        return self._last[1]

    def _read(self, probe: Any, vectors: Float[np.ndarray, "m e"]) -> Bool[np.ndarray, " m"]:
        return probe.predict(vectors) == self._truth

    def _read_static(self, vectors: Float[np.ndarray, "m e"]) -> Bool[np.ndarray, " m"]:
        """Vectors of fewer dimensions are filled up with zeros."""
        missing = max(0, len(self._live) - vectors.shape[1])
        return self._read(self._static, np.pad(vectors, ((0, 0), (0, missing)))[:, self._live])


def pairs_of(rows: int) -> Sequence[int]:
    """Numbers of pairs that can be drawn from so many rows."""
    return [k for k in PAIRS if k <= rows]


def mean_of(found: Sequence[Shaped[np.ndarray, " m"]]) -> Float[np.ndarray, " m"]:
    """Mean over seeds, a number for each row."""
    return np.mean(np.asarray(found, dtype=np.float64), axis=0)
