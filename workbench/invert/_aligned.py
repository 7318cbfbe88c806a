"""Aligned: attacks that never ask the victim's embedder, but map its vectors to one that they know and invert there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, final

import numpy as np
from jaxtyping import Float

from workbench.core.access import KNOWN_ENCODER
from workbench.core.errors import BadInput
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.invert import INVERTERS, open_inverter
from workbench.invert._align import LinearMap
from workbench.invert._inverter import Attacker, Inverter


class Aligned(Inverter):
    """An inverter behind a map. Cosines and queries are those of the known embedder; `dim` is that of the victim's."""

    reads_own: ClassVar[bool] = False

    def __init__(self, known: Inverter, to_known: LinearMap) -> None:
        d, e = to_known.matrix.shape
        if e != known.dim:
            raise BadInput(f"the map leads to {e} dimensions; the {known.name} inverter expects {known.dim}")
        self.embedder, self.dim, self.to_known = known.embedder, d, to_known
        self._known = known

    @classmethod
    @final
    def open(cls, attacker: Attacker) -> Aligned:
        """Fit the map and make the known embedder's inverter ready."""
        if attacker.through in INVERTERS.names() and issubclass(INVERTERS.load(attacker.through), Aligned):
            raise BadInput(f"{attacker.through} maps vectors itself; go through hypothesis, search or another inverter")
        cls.require(attacker)
        own = replace(attacker, embedder=load_embedder(attacker.known, attacker.device), threat=KNOWN_ENCODER)
        return cls(open_inverter(attacker.through, own), cls.fit(own))

    @classmethod
    @abstractmethod
    def require(cls, attacker: Attacker) -> None:
        """Raise BadInput, before anything is loaded, where the attacker lacks what the map is fitted on."""

    @classmethod
    @abstractmethod
    def fit(cls, own: Attacker) -> LinearMap:
        """The map from the victim's space to that of `own.embedder`, which here is the known one."""

    @final
    def behind(self, known: Inverter) -> Aligned:
        """The same map with another inverter behind it."""
        return type(self)(known, self.to_known)

    @final
    def seen(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n e"]:
        """The vectors mapped to the known embedder's space."""
        return self.to_known.apply(vectors)

    @final
    def rounds(self, vectors: Float[np.ndarray, "n d"]) -> Iterator[tuple[str, Sequence[str]]]:
        """Those of the inverter behind the map."""
        yield from self._known.rounds(self.seen(vectors))


def public_vectors(own: Attacker) -> Float[np.ndarray, "n e"]:
    """The known embedder's vectors of the attacker's own public texts."""
    texts = corpora.load(own.corpus, "train", own.samples).texts
    return cached_vectors(own.embedder, texts, what="embed public texts")
