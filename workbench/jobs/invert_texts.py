"""Embed texts, hide them, invert their vectors, and score what came back beside the floors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.core.embedding_set import EmbeddingSet
from workbench.data.corpora import Corpus
from workbench.embed._windows import split_windows
from workbench.invert import open_inverter
from workbench.invert._inverter import PRIOR, Attacker, Inverter, shuffled
from workbench.invert._score import bleu_signature, score
from workbench.results import Inversions, InversionScores, ScoreTable

FLOORS = ("nearest", "bag-of-words")


def invert_texts(
    corpus: Corpus, inverter: str, attacker: Attacker, window: int = 0, floors: bool = True, seed: int = 0
) -> tuple[Inversions, ScoreTable]:
    """One inversion for each text of `corpus`, and its scores.

    With `window`, a text is embedded as consecutive windows of at most so many tokens, each is inverted by itself, and
    the windows' texts are joined: a store of chunks. Its cosine is then the mean over its windows.
    """
    embedder = attacker.embedder
    if window:
        texts, owners = split_windows(embedder, corpus.texts, window)
    else:
        texts, owners = list(corpus.texts), list(range(len(corpus)))
    ids = [f"{corpus.ids[owner]}#{place}" if window else corpus.ids[owner] for place, owner in enumerate(owners)]
    stolen = embedder.embed_set(ids, texts, seed).without_texts()

    def run(method: Inverter, vectors: EmbeddingSet) -> Inversions:
        found = method.invert(vectors)
        return _joined(found, owners, corpus.ids) if window else found

    def rate(found: Inversions, **options: str) -> InversionScores:
        return score(found, corpus.texts, embedder, corpus.groups, seed=seed, **options)  # type: ignore[arg-type]

    attack = open_inverter(inverter, attacker)
    found = run(attack, stolen)
    scores = [rate(found)]
    for name in FLOORS if floors else ():
        if name != inverter:
            scores.append(rate(run(open_inverter(name, attacker), stolen), role="floor"))
    if floors and len(stolen) > 1:
        blind = run(attack, shuffled(stolen, seed))
        scores.append(rate(blind, role="prior", name=f"{attack.name}, {PRIOR}"))
    return found, ScoreTable(f"{len(corpus)} texts", tuple(scores), bleu_signature())


def _joined(found: Inversions, owners: list[int], ids: tuple[str, ...]) -> Inversions:
    """Windows put together again as texts; every round of the path as well."""
    place = np.asarray(owners)
    rows = [np.flatnonzero(place == owner) for owner in range(len(ids))]

    def join(texts: np.ndarray) -> np.ndarray:
        return np.array([" ".join(texts[row]) for row in rows], dtype=object)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.array([values[row].mean() for row in rows])

    return replace(
        found,
        ids=np.array(ids, dtype=object),
        texts=join(found.texts),
        cosines=None if found.cosines is None else mean(found.cosines),
        rounds=np.array([found.rounds[row].max() for row in rows]),
        path=tuple(replace(each, texts=join(each.texts), cosines=mean(each.cosines)) for each in found.path),
    )
