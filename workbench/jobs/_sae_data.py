"""Vectors for a sparse autoencoder: of a named corpus, without duplicates, and parted by the hash of the text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.text import normalise, split_form
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.probe._sparse_features import GROUP

_PARTS = 1_000_000
LEAST_HELD_OUT = 20


@dataclass(frozen=True)
class Parted:
    """Vectors to learn from and vectors to measure on; `duplicates` were left out."""

    learnt: EmbeddingSet
    held_out: EmbeddingSet
    duplicates: int


def corpus_vectors(embedder: str, corpus: str, limit: int, device: str = "auto") -> EmbeddingSet:
    """The first `limit` texts of a corpus' train split with vectors (from the cache where they are) and groups."""
    texts = corpora.load(corpus, "train", limit)
    model = load_embedder(embedder, device)
    vectors = cached_vectors(model, texts.texts, f"embed {corpus}")
    return EmbeddingSet(
        np.array(texts.ids, object),
        vectors,
        np.array(texts.texts, object),
        {GROUP: np.array(texts.groups, object)},
        model.provenance(),
    )


def part(vectors: EmbeddingSet, held_out: float) -> Parted:
    """Leave out duplicates, and hold out the share `held_out`.

    Texts with one normal form are duplicates, and the hash of the split form decides the part, so that a text is on
    the same side in every set. Without texts the vector itself takes the place of the text, and the id decides. Raises
    BadInput where too few are left.
    """
    texts = vectors.texts
    keys: list[str] | list[bytes]
    if texts is None:
        keys, decides = [row.tobytes() for row in vectors.vectors], [str(id) for id in vectors.ids]
    else:
        keys, decides = [normalise(str(text)) for text in texts], [split_form(str(text)) for text in texts]
    first: dict[str | bytes, int] = {}
    for row, key in enumerate(keys):
        first.setdefault(key, row)
    rows = np.fromiter(first.values(), np.int64, len(first))
    away = np.array([_hash(decides[row]) % _PARTS < held_out * _PARTS for row in rows])
    if away.sum() < LEAST_HELD_OUT:
        raise BadInput(
            f"{away.sum()} of {len(rows)} different vectors are held out; expected at least {LEAST_HELD_OUT}: give "
            "more vectors, or hold out a larger share"
        )
    return Parted(vectors.select(rows[~away]), vectors.select(rows[away]), len(keys) - len(rows))


def _hash(key: str) -> int:
    """Not the hash that parts corpora into train and test, so that any split of a corpus can be parted again."""
    raw = key.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8, person=b"sae").digest(), "big")
