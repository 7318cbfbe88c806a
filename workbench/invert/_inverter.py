"""Inverter: vectors in, texts out, under a threat model that says what it may use."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, final

import numpy as np
from jaxtyping import Float

from workbench.core import checkpoint
from workbench.core.access import KNOWN_ENCODER, Access, ThreatModel
from workbench.core.card import Card
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput, require
from workbench.embed._embedder import Embedder
from workbench.embed._reading import guesses
from workbench.invert._control import Levels, Nearness, measure, measure_levels
from workbench.invert._pool import Limits
from workbench.results import Inversions
from workbench.results.inversions import Round

_MOST_BEAMS = 1024


@dataclass(frozen=True)
class Attacker:
    """What an attacker has at hand: access, the embedder to query, public text, a checkpoint.

    `corpus` names public text of the attacker's own, of which it uses the first `corpus_texts` of the train split.
    `checkpoint` is a shipped name or a folder; empty means the shipped one for the embedder.

    Methods that need less than queries never touch `embedder`: they map its vectors into the space of the embedder
    `known`, and invert there by the method `through`, whose checkpoint and queries are those of `known`.
    """

    embedder: Embedder
    threat: ThreatModel = KNOWN_ENCODER
    corpus: str = "conservative"
    corpus_texts: int = 20_000
    checkpoint: str = ""
    beams: int = 0
    """Hypotheses a vector; 0 leaves the choice to the method and its preset."""
    preset: str = "default"
    """How hard `search` works: fast, default or best."""
    limits: Limits | None = None
    """Most seconds or queries of methods that work in rounds."""
    device: str = "auto"
    known: str = "minilm"
    """The attacker's own embedder, as `load_embedder` takes it."""
    through: str = "hypothesis"
    pairs: SetLike = None
    """Vectors of the victim with their texts, for `few-shot`."""
    store: SetLike = None
    """All vectors of the victim that were stolen, for `unpaired`; their texts are not looked at."""
    language_model: str = "smollm2"
    """Of `zero-shot`: an asset, a folder or a hub id."""
    samples: int = 20_000
    """Public texts of the corpus that `unpaired` embeds with `known`."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("pairs", "store"):
            if (held := getattr(self, name)) is not None:
                object.__setattr__(self, name, EmbeddingSet.of(held))
        if not 0 <= self.beams <= _MOST_BEAMS:
            raise BadInput(f"beams is {self.beams}; expected 0 (as the method likes) to {_MOST_BEAMS}")
        if self.corpus_texts < 1 or self.samples < 1:
            raise BadInput(f"corpus_texts is {self.corpus_texts}, samples {self.samples}; expected at least 1 each")
        if self.seed < 0:
            raise BadInput(f"seed is {self.seed}; expected 0 or more")
        if self.limits is not None:
            require(self.limits, Limits, "limits")

    def open_checkpoint(self) -> tuple[Path, Card]:
        """Folder and card of the attacker's inverter. Raises BadInput if it was trained on another embedder."""
        spec = self.embedder.spec
        return checkpoint.open_fitting("inverter", self.checkpoint, spec.name, spec.revision)


class Inverter(ABC):
    """An attack that turns vectors into text. A member states `needs`, opens itself for an attacker, and gives `guess`
    or, where it works in rounds, `rounds`."""

    name: ClassVar[str]
    needs: ClassVar[Access]
    reads_own: ClassVar[bool] = True
    """Whether the vectors must be those of `embedder` itself; not so where a map leads to its space."""
    embedder: Embedder
    dim: int

    @classmethod
    @abstractmethod
    def open(cls, attacker: Attacker) -> Inverter:
        """Make ready: load or fit what the attack uses."""

    def guess(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """One text for each vector."""
        *_, (_, texts) = self.rounds(vectors)
        return texts

    def rounds(self, vectors: Float[np.ndarray, "n d"]) -> Iterator[tuple[str, Sequence[str]]]:
        """After each round its name and the best text of each vector so far."""
        yield self.name, self.guess(vectors)

    def quick(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """A text for each vector by the cheapest means that the method has, for the positive control."""
        return self.guess(vectors)

    @cached_property
    def levels(self) -> Levels:
        """How near texts come to the embedder's own vectors of known sentences, and to vectors of strangers."""
        return measure_levels(self.embedder, self.quick)

    @final
    def nearness(self, vectors: Float[np.ndarray, "n d"], seed: int = 0) -> Nearness:
        """The positive control: how near quick texts of at most 32 of the vectors come, next to `levels`."""
        return measure(self.embedder, self.quick, self.levels, vectors, seed)

    def seen(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n e"]:
        """The vectors in the space of `embedder`, where texts are compared with them; most methods have no other."""
        return vectors

    @final
    def invert(self, stolen: SetLike) -> Inversions:
        """Invert vectors that come without their texts. Raises BadInput for texts or for another dimension.

        Where the texts that are found do not come near, the result's `doubt` says whether the vectors read like those
        of another embedder.
        """
        stolen = EmbeddingSet.of(stolen)
        if stolen.texts is not None:
            raise BadInput("an attack never holds the truth: hand it EmbeddingSet.without_texts()")
        stolen.require_dim(self.dim, f"the {self.name} inverter")
        with guesses():
            return self._inverted(stolen)

    def _inverted(self, stolen: EmbeddingSet) -> Inversions:
        path, changed = [], np.zeros(len(stolen), dtype=np.int64)
        seen = self.seen(stolen.vectors)
        began, asked = time.monotonic(), self.embedder.queries
        for stage, found in self.rounds(stolen.vectors):
            texts = np.array(list(found), dtype=object)
            cosines = cosine(seen, self.embedder.embed(list(texts), what="re-embed"))
            if path:
                changed += texts != path[-1].texts
            now, queries = time.monotonic(), self.embedder.queries
            path.append(Round(stage, texts, cosines, queries - asked, now - began))
            began, asked = now, queries
        doubted = self.reads_own and float(path[-1].cosines.mean()) < _SURE
        return Inversions(
            method=self.name,
            ids=stolen.ids,
            texts=path[-1].texts,
            cosines=path[-1].cosines,
            rounds=changed,
            queries=sum(each.queries for each in path),
            seconds=sum(each.seconds for each in path),
            path=tuple(path),
            doubt=self.nearness(stolen.vectors).doubt(self.embedder.spec.name) if doubted else "",
        )


_SURE = 0.7
"""Mean cosine of the texts from which the embedder of the vectors is not doubted."""


PRIOR = "shuffled vectors"
"""What stands behind an inverter's name where its language prior is shown."""


def shuffled(stolen: EmbeddingSet, seed: int = 0) -> EmbeddingSet:
    """The same ids with each other's vectors, none with its own; what an inverter writes of these is its prior.

    The vectors are shifted by a random number of places. Raises BadInput for a single vector.
    """
    if len(stolen) < 2:
        raise BadInput("one vector cannot be shuffled; expected at least 2")
    shift = int(np.random.default_rng(seed).integers(1, len(stolen)))
    return replace(stolen, vectors=np.roll(stolen.vectors, shift, axis=0))


def cosine(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    """Row by row."""
    products = np.einsum("nd,nd->n", a, b, dtype=np.float64)
    return products / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
