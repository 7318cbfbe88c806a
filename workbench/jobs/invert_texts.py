"""Embed texts, hide them, invert their vectors, and score what came back beside the floors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.core.access import KNOWN_ENCODER
from workbench.core.embedding_set import EmbeddingSet
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.embed._vector_cache import cached_vectors
from workbench.embed._windows import split_windows
from workbench.invert import open_inverter
from workbench.invert._aligned import Aligned
from workbench.invert._inverter import PRIOR, Attacker, Inverter, shuffled
from workbench.invert._score import bleu_signature, chrf_signature, score
from workbench.jobs.verify_store import require_reading
from workbench.results import Inversions, InversionScores, ScoreTable

FLOORS = ("nearest", "bag-of-words")


def invert_texts(
    corpus: Corpus,
    inverter: str,
    attacker: Attacker,
    window: int = 0,
    floors: bool = True,
    seed: int = 0,
    pair_texts: int = 0,
) -> tuple[Inversions, ScoreTable]:
    """One inversion for each text of `corpus`, and its scores.

    With `window`, a text is embedded as consecutive windows of at most so many tokens, each is inverted by itself, and
    the windows' texts are joined: a store of chunks. Its cosine is then the mean over its windows.

    The victim also embeds `pair_texts` public texts: they are the pairs of `few-shot`, and without their texts a part
    of the store that `unpaired` holds. The floors of these two read mapped vectors as well.

    Before that the inverter reads the embedder's vectors of known sentences: raises BadInput where it cannot, though
    its checkpoint states that it does (another pooling, a wrong model folder).
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

    attack = open_inverter(inverter, _with_victim_vectors(attacker, stolen, pair_texts))
    failed = require_reading(attack, attacker)
    found = replace(run(attack, stolen), doubt=failed)
    scores = [rate(found)]
    own = replace(attacker, embedder=attack.embedder, threat=KNOWN_ENCODER)  # a floor is a yardstick, not an attack
    for name in FLOORS if floors else ():
        if isinstance(attack, Aligned):
            if name != attacker.through:
                floor = attack.behind(open_inverter(name, own))
                scores.append(rate(run(floor, stolen), role="floor", name=f"{name}, mapped"))
        elif name != inverter:
            scores.append(rate(run(open_inverter(name, own), stolen), role="floor"))
    if floors and len(stolen) > 1:
        blind = run(attack, shuffled(stolen, seed))
        scores.append(rate(blind, role="prior", name=f"{attack.name}, {PRIOR}"))
    return found, ScoreTable(f"{len(corpus)} texts", tuple(scores), bleu_signature(corpus.texts), chrf_signature())


def _with_victim_vectors(attacker: Attacker, stolen: EmbeddingSet, pair_texts: int) -> Attacker:
    """The attacker with the store, and with pairs of public texts that it does not use otherwise."""
    if not pair_texts:
        return attacker if attacker.store is not None else replace(attacker, store=stolen)
    public = corpora.load(attacker.corpus, "train", attacker.samples + pair_texts)
    ids, texts = public.ids[-pair_texts:], public.texts[-pair_texts:]
    vectors = cached_vectors(attacker.embedder, texts, what="embed public texts with the victim")
    more = EmbeddingSet(np.array(ids, dtype=object), vectors, np.array(texts, dtype=object))
    names = np.array([*(f"stolen:{id}" for id in stolen.ids), *(f"more:{id}" for id in ids)], dtype=object)
    return replace(attacker, pairs=more, store=EmbeddingSet(names, np.concatenate([stolen.vectors, vectors])))


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
