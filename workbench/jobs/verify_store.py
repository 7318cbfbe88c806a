"""Check that vectors are those of an embedder before anything is read from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.access import Access
from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput, FetchError, UnknownName, first_line
from workbench.embed._embedder import Embedder
from workbench.embed._reading import guesses
from workbench.invert import open_inverter
from workbench.invert._control import KnownTexts, Nearness, compare_known_texts
from workbench.invert._inverter import Attacker, Inverter
from workbench.jobs.fingerprint_store import fingerprint_store

_KNOWN_BY_PRINT = 0.5
"""Probability from which the fingerprint counts as knowing the embedder."""
_SURELY_NOT = 0.05
"""Probability below which the fingerprint alone rules the embedder out."""


@dataclass(frozen=True)
class Verification:
    """What speaks for and against vectors being those of `embedder`.

    `claimed` is another embedder that the vectors' provenance names, empty where it names none or this one. `known`
    compares texts that came with the vectors, `nearness` is the positive control of an inverter, and `probability` the
    fingerprint's, asked only where the others leave a doubt; None where one was not or could not be asked.
    """

    embedder: str
    claimed: str = ""
    known: KnownTexts | None = None
    nearness: Nearness | None = None
    probability: float | None = None
    unasked: str = ""
    """Why the fingerprint could not be asked."""

    @property
    def doubt(self) -> str:
        """The doubts in words, one sentence without its end; empty where there is none."""
        if self.known and self.known.same:
            return f"their provenance names {self.claimed}" if self.claimed else ""
        said = []
        if self.nearness:
            said.append(self.nearness.doubt(self.embedder))
        if self.known:
            said.append(self.known.words(self.embedder))
        if self.probability is not None and (said or self.probability < _KNOWN_BY_PRINT):
            said.append(f"the fingerprint gives {self.embedder} the probability {self.probability:.2f}")
        if self.unasked and any(said):
            said.append(f"the fingerprint could not be asked ({self.unasked})")
        if self.claimed:
            said.append(f"their provenance names {self.claimed}")
        return "; ".join(filter(None, said))

    @property
    def refused(self) -> bool:
        """Whether the vectors are those of another embedder, as far as can be seen."""
        if self.known and not self.known.strangers:
            return False
        knows = self.probability is not None and self.probability >= _KNOWN_BY_PRINT
        if self.nearness is None:
            if self.known:
                return not knows
            return (self.probability is not None and self.probability < _SURELY_NOT) or (
                bool(self.claimed) and not knows
            )
        if self.nearness.far:
            return not knows
        return bool(self.claimed) and not self.nearness.near

    def settle(self, unverified: bool, what: str) -> str:
        """The doubts in words.

        Raises BadInput, calling the vectors `what`, where they are refused and not `unverified`.
        """
        if self.refused and not unverified:
            raise BadInput(
                f"{what}: {self.doubt}. Name the embedder that made them (`workbench fingerprint` compares several), "
                "or go on all the same with --unverified"
            )
        return self.doubt


def verify_store(
    store: EmbeddingSet, embedder: Embedder, inverter: Inverter | None = None, device: str = "auto"
) -> Verification:
    """What speaks for and against the vectors of `store` being those of `embedder`.

    Texts that came with the vectors are embedded again and compared, at most 16 of them; where there are none, or they
    do not agree, `inverter` reads at most 32 of the vectors, and where those texts come no nearer than texts of
    strangers' vectors the fingerprint is asked. That takes a few CPU-seconds. Nothing is raised: see `settle`.
    """
    with guesses():
        return _verified(store, embedder, inverter, device)


def _verified(store: EmbeddingSet, embedder: Embedder, inverter: Inverter | None, device: str) -> Verification:
    spec = embedder.spec
    claimed = claimed_other(store.provenance, embedder)
    known = None if store.texts is None else compare_known_texts(embedder, store)
    if known and known.same:
        return Verification(spec.name, claimed, known)
    nearness = inverter.nearness(store.vectors) if inverter and inverter.reads_own else None
    if nearness and not nearness.far and nearness.levels.reads:
        return Verification(spec.name, claimed, known, nearness)
    probability, unasked = _fingerprint(store, embedder, device)
    return Verification(spec.name, claimed, known, nearness, probability, unasked)


def reader_of(embedder: Embedder, device: str = "auto") -> Inverter | None:
    """The quickest inverter that ships for an embedder, where one does."""
    try:
        return open_inverter("hypothesis", Attacker(embedder, device=device))
    except BadInput:
        return None


def require_reading(inverter: Inverter, attacker: Attacker) -> str:
    """The control on known texts: what is wrong where an inverter does not read its own embedder's vectors.

    Empty where it does. Raises BadInput where its card states that it does, so that the embedder is another one than
    the card's: of another pooling, or a wrong folder.
    """
    if not inverter.reads_own or inverter.levels.reads:
        return ""
    name, levels = inverter.embedder.spec.name, inverter.levels
    said = (
        f"the control on known texts failed: {inverter.name} reads {name}'s vectors of known sentences at a mean "
        f"cosine of {levels.own:.2f}, and vectors of strangers at {levels.strangers:.2f}"
    )
    stated = _stated(attacker) if inverter.needs >= Access.QUERY else None
    if stated is not None and stated >= _KNOWN_BY_PRINT:
        raise BadInput(f"{said}; its checkpoint states {stated:.2f}: is this the embedder, with its pooling?")
    return said


def _stated(attacker: Attacker) -> float | None:
    """The mean cosine that the checkpoint's card states for its attack; None where it states none."""
    try:
        card = attacker.open_checkpoint()[1]
        rows = [row for row in card.metrics.get("scores", ()) if row.get("role") == "attack"]
        return float(rows[0]["cosine"]["value"]) if rows else None
    except (BadInput, KeyError, TypeError, ValueError, UnknownName):
        return None


def claimed_other(provenance: Provenance, embedder: Embedder) -> str:
    """The embedder that a provenance names, where it is surely another name and other weights; else empty."""
    said, spec = provenance.embedder, embedder.spec
    if said in ("", Provenance().embedder, spec.name):
        return ""
    return "" if provenance.revision and provenance.revision == spec.revision else said


def _fingerprint(store: EmbeddingSet, embedder: Embedder, device: str) -> tuple[float | None, str]:
    """The probability that the embedder made the vectors, or why it is not known."""
    name = embedder.spec.name
    if embedder.estimate(["a text"]):
        return None, "its public texts would cost money at this embedder"
    try:
        print_ = fingerprint_store(EmbeddingSet(np.arange(len(store)), store.vectors), [name], device=device)
    except (BadInput, FetchError, LookupError) as error:
        return None, first_line(error)
    return next((each.probability for each in print_.suspects if each.embedder == name), 0.0), ""
