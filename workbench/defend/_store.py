"""A defended copy of an EmbeddingSet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.defend import open_fitter
from workbench.defend._key import NeedsKey
from workbench.defend._line import WithDrawnKey, parts, without_key


def defended(store: EmbeddingSet, line: str, random: np.random.Generator | None) -> EmbeddingSet:
    """See `workbench.defend.defend_store`."""
    fitter = open_fitter(line)
    if isinstance(fitter, WithDrawnKey):
        raise NeedsKey(parts(line)[0])
    random = random or np.random.default_rng()
    defence = fitter.fit(store.vectors, random, store.labels)
    vectors = defence.apply(store.vectors, random)
    said = "; ".join(f"{name}: {fact}" for name, fact in defence.facts().items())
    provenance = replace(
        store.provenance,
        notes=(*store.provenance.notes, f"defended by {without_key(line)} ({said})"),
    )
    try:
        return replace(store, vectors=vectors, provenance=provenance)
    except BadInput as error:
        raise BadInput(f"after {without_key(line)}: {error}") from error
