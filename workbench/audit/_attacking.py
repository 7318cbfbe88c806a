"""How an audit runs inverters: opened when they are needed, by an attacker of the threat model, each result kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from workbench.audit._ledger import Ledger
from workbench.audit.ladder import ATTACKS, needs
from workbench.audit.plan import AuditPlan
from workbench.core.access import Access, ThreatModel
from workbench.core.embedding_set import EmbeddingSet
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.invert import open_inverter
from workbench.invert._inverter import Attacker, Inverter, shuffled
from workbench.results import Inversions


@dataclass(frozen=True)
class Case:
    """One set of hidden texts, as the attacker sees it: the true vectors, and the same ones shuffled."""

    corpus: Corpus
    stolen: EmbeddingSet
    shuffled: EmbeddingSet

    @classmethod
    def of(cls, corpus: Corpus, stolen: EmbeddingSet, seed: int) -> Case:
        """Vectors without their texts."""
        return cls(corpus, stolen.without_texts(), shuffled(stolen.without_texts(), seed))

    def head(self, n: int) -> Case:
        """The first n."""
        rows = slice(0, n)
        return Case(self.corpus.head(n), self.stolen.select(rows), self.shuffled.select(rows))


@dataclass
class Attacking:
    """All inversions of one audit. `store` are all vectors that were stolen, where more were than are scored."""

    plan: AuditPlan
    embedder: Embedder
    device: str
    ledger: Ledger
    store: EmbeddingSet | None = None
    _open: dict[tuple[str, str], Inverter] = field(default_factory=dict)

    def attacker(self, threat: ThreatModel) -> Attacker:
        """What the plan gives to an attacker of a threat model."""
        plan = self.plan
        return Attacker(
            self.embedder,
            threat,
            plan.corpus,
            plan.attacker_texts,
            plan.checkpoint,
            plan.beams,
            plan.preset,
            device=self.device,
            samples=plan.samples,
            seed=plan.seed,
        )

    def invert(self, threat: ThreatModel, name: str, vectors: EmbeddingSet, what: str) -> Inversions:
        """Texts of vectors by an inverter; `what` names them among the audit's steps."""
        return self.ledger.step(f"{threat.name} {name} {what}", lambda: self._inverter(threat, name).invert(vectors))

    def _inverter(self, threat: ThreatModel, name: str) -> Inverter:
        key = threat.name, name
        if key not in self._open:
            attacker = self.attacker(threat)
            needed = needs(name) if name in ATTACKS else Access.QUERY  # a floor is fitted by whoever knows the encoder
            if needed == Access.PAIRS:
                pairs = self._victims(self.plan.pairs, texts=True)
                attacker = replace(attacker, pairs=pairs, store=self.store and self.store.without_texts())
            elif needed == Access.SAMPLES:
                attacker = replace(attacker, store=self._stolen)
            self._open[key] = open_inverter(name, attacker)
        return self._open[key]

    @cached_property
    def _stolen(self) -> EmbeddingSet:
        """A whole store of the victim's vectors: the audited one, or that of public texts which no attacker uses."""
        return self._victims(self.plan.samples, texts=False) if self.store is None else self.store.without_texts()

    def _victims(self, n: int, texts: bool) -> EmbeddingSet:
        plan = self.plan
        used = max(plan.samples, plan.attacker_texts)
        public = corpora.load(plan.corpus, "train", used + n)
        ids, held = public.ids[used:], public.texts[used:]
        vectors: Any = cached_vectors(self.embedder, held, what="the victim's vectors")
        return EmbeddingSet(np.array(ids, dtype=object), vectors, np.array(held, dtype=object) if texts else None)
