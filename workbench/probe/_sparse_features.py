"""sparse_features: what an autoencoder's features are, and how well they give held-out vectors back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from workbench.core import estimate
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.probe._feature_names import name_features, separation, top_rows
from workbench.probe._sae_floors import floors, reconstruction
from workbench.probe.sparse_autoencoder import SparseCodes, TopKAutoencoder
from workbench.results.sparse_features import SparseFeature, SparseFeatures

GROUP = "group"
"""The label that says which vectors belong together (one document): intervals are over groups then."""
_NAMED_BY = 200
_TOP = 5
_STRONG, _ENOUGH_STRONG = 0.5, 5
"""Share of the largest activation from which on one is strong, and how many held-out texts must have that."""
_ENOUGH = 10
"""Held-out texts that must activate a feature before its words are judged."""


def sparse_features(
    autoencoder: TopKAutoencoder,
    learnt: EmbeddingSet,
    held_out: EmbeddingSet,
    title: str = "Sparse features",
    seed: int = 0,
    seconds: float = 0.0,
) -> SparseFeatures:
    """Measure an autoencoder on vectors that it never saw, and name its features by the texts that it did see.

    Where both sets have texts, a feature is named by the words of its 200 most active learnt texts, and the words are
    checked on the held-out ones. Raises BadInput where the dimensions do not fit.
    """
    for part in (learnt, held_out):
        part.require_dim(autoencoder.dim, "the sparse autoencoder")
    if not len(held_out) > 1:
        raise BadInput(f"{len(held_out)} held-out vectors; expected at least 2")
    groups = held_out.labels.get(GROUP)
    known, new = autoencoder.encode(learnt.vectors), autoencoder.encode(held_out.vectors)
    counts = known.counts()
    numbers = f"{autoencoder.k} of {autoencoder.features:,}"
    centre = learnt.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    rebuilt = autoencoder.decode(new)
    top = top_rows(known, _NAMED_BY)
    largest = np.zeros(autoencoder.features)
    np.maximum.at(largest, known.indices.ravel(), known.activations.ravel())
    naming = _name(learnt, held_out, top, largest, new, seed)
    shown, seen = learnt.ids if learnt.texts is None else learnt.texts, new.counts()
    rows = tuple(
        SparseFeature(
            number=number,
            share=float(counts[number] / len(learnt)),
            held_out_active=int(seen[number]),
            words=naming.words.get(number, ()),
            top=tuple(str(shown[row]) for row in top[number][:_TOP]),
            separation=naming.separation.get(number),
        )
        for number in map(int, np.flatnonzero(counts))
    )
    return SparseFeatures(
        title=title,
        embedder=autoencoder.embedder,
        dim=autoencoder.dim,
        features=autoencoder.features,
        k=autoencoder.k,
        learnt=len(learnt),
        held_out=len(held_out),
        ours=reconstruction("sparse autoencoder", numbers, held_out.vectors, rebuilt, centre, groups, seed),
        floors=floors(learnt.vectors, held_out.vectors, autoencoder.features, autoencoder.k, groups, seed),
        dead=estimate.proportion(int((counts == 0).sum()), autoencoder.features),
        active=estimate.mean(new.active().astype(np.float64), groups, seed),
        naming=_mean((each.value for each in naming.separation.values()), seed),
        naming_strong=_mean(naming.strong, seed),
        naming_floor=_mean(naming.other, seed),
        rows=rows,
        seconds=seconds,
    )


@dataclass(frozen=True)
class _Naming:
    """Words of the living features, and how well they foretell: each feature, strong activations, another's words."""

    words: Mapping[int, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    separation: Mapping[int, Estimate] = field(default_factory=dict)
    strong: tuple[float, ...] = ()
    other: tuple[float, ...] = ()


def _name(
    learnt: EmbeddingSet,
    held_out: EmbeddingSet,
    top: Sequence[Int[np.ndarray, " _"]],
    largest: Float[np.ndarray, " m"],
    new: SparseCodes,
    seed: int,
) -> _Naming:
    """Words from learnt texts, checked on the held-out ones; nothing where there are no texts."""
    if learnt.texts is None or held_out.texts is None:
        return _Naming()
    names = name_features(_strings(learnt.texts), top)
    words = {number: names.of(number) for number, rows in enumerate(top) if len(rows)}
    scores, activations = names.foretell(_strings(held_out.texts)), new.sparse().tocsc()
    seen = new.counts()
    enough = (seen >= _ENOUGH) & (len(new) - seen >= _ENOUGH)
    judged = np.random.default_rng(seed).permutation([each for each in words if words[each] and enough[each]])
    found: dict[int, Estimate] = {}
    strong, other = [], []
    for place, number in enumerate(map(int, judged)):
        score, activation = _column(scores, number), _column(activations, number)
        found[number] = separation(score, activation > 0)
        most = activation >= _STRONG * largest[number]
        if _ENOUGH_STRONG <= most.sum() < len(new):
            strong.append(separation(score, most).value)
        if len(judged) > 1:
            other.append(separation(_column(scores, int(judged[place - 1])), activation > 0).value)
    return _Naming(words, found, tuple(strong), tuple(other))


def _column(matrix: Any, number: int) -> Float[np.ndarray, " n"]:
    """One column of a sparse matrix, in full."""
    return matrix[:, [number]].toarray()[:, 0].astype(np.float64)


def _mean(values: Iterable[float], seed: int) -> Estimate | None:
    found = list(values)
    return estimate.mean(found, seed=seed) if found else None


def _strings(texts: Shaped[np.ndarray, " n"]) -> Sequence[str]:
    return [str(text) for text in texts]
