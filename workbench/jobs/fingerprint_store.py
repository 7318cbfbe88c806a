"""Compare a store's vectors with public texts by each embedder that may have made them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.audit.fingerprint import Reference, fingerprint
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.results.fingerprint import Fingerprint

DOMAINS = ("tatoeba", "wikitext-2", "chitchat", "cfpb", "gutenberg", "squad")
AMONG = ("minilm", "mpnet", "bge-small", "potion")


def fingerprint_store(
    store: SetLike,
    among: Sequence[str] = AMONG,
    texts: int = 900,
    seed: int = 0,
    device: str = "auto",
) -> Fingerprint:
    """Which of the embedders `among` made the vectors of a store, by about `texts` public texts of six domains.

    It needs the stored vectors and nothing else (access SAMPLES); what the store says of itself is not read. The texts
    are embedded once; their vectors are kept in the cache. Raises BadInput where there are fewer than 300 texts, or no
    embedder has as many dimensions as the store.
    """
    store = EmbeddingSet.of(store)
    if texts < 300:
        raise BadInput(f"texts is {texts}; expected at least 300, so that each of six domains has some")
    if not among:
        raise BadInput(f"no embedder to think of; expected some, such as {', '.join(AMONG)}")
    size = texts // len(DOMAINS)
    return fingerprint(store.vectors, [reference(name, size, device) for name in dict.fromkeys(among)], seed)


def reference(embedder: str, size: int, device: str = "auto") -> Reference:
    """Vectors of `size` public texts of each domain."""
    model = load_embedder(embedder, device)
    found = [cached_vectors(model, corpora.load(name, "train", size).texts, f"{embedder}, {name}") for name in DOMAINS]
    return Reference(embedder, np.concatenate(found), np.repeat(np.array(DOMAINS, object), list(map(len, found))))
