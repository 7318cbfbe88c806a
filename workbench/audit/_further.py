"""Further attacks of an audit: the rest of the ladder, each measured beside its own floor."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from workbench.audit._attacking import Attacking, Case
from workbench.audit._candidates import Candidates
from workbench.audit._utility import Utility
from workbench.audit.attribute_inference import infer_attributes
from workbench.audit.defences import judge_defences
from workbench.audit.ladder import ATTACKS
from workbench.audit.membership import store_membership
from workbench.audit.payload import payload
from workbench.audit.plan import AuditPlan
from workbench.core.access import THREATS, ThreatModel
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, FetchError, MissingExtra, UnknownName, first_line
from workbench.core.estimate import Estimate
from workbench.core.result import Result
from workbench.data import corpora
from workbench.data.tasks import load_task
from workbench.embed._vector_cache import cached_vectors
from workbench.invert._inverter import PRIOR
from workbench.invert._score import bleu_signature, chrf_signature, score
from workbench.probe import Labelled, labelled_by
from workbench.results import Inversions, ScoreTable
from workbench.results.attribute_inference import AttributeInference
from workbench.results.audit_parts import Finding, Policy
from workbench.results.audit_result import AttackCost
from workbench.results.defences import DefenceScores
from workbench.results.membership import Membership
from workbench.results.payload import Payload

log = logging.getLogger(__name__)
_LEVEL = 0.01
"""False alarms at which members are counted."""
_SPARE = 50
"""Further texts of no member, for those that turn out to be twice there."""


class Further:
    """Runs what the plan's `also` names; what cannot run is kept with its reason, never left out."""

    def __init__(self, plan: AuditPlan, attacking: Attacking, case: Case, store: EmbeddingSet | None) -> None:
        self.details: list[Result] = []
        self.tables: list[ScoreTable] = []
        self.skipped: dict[tuple[str, str], str] = {}
        self._plan, self._attacking, self._case, self._store = plan, attacking, case, store
        self._policy = Policy(plan.severe, plan.substantial)
        self._made: list[tuple[str, Inversions]] = []
        self._asked = [(threat, name) for threat, names in plan.also.items() for name in names]
        self.count = len(self._asked)

    def run(self, advance: Callable[[int], None]) -> list[Finding]:
        """Every attack in turn."""
        findings: list[Finding] = []
        for threat, name in self._asked:
            log.info("%s under %s", name, threat)
            try:
                findings += self._attack(THREATS[threat], name)
            except (BadInput, MissingExtra, FetchError, UnknownName) as error:
                self.skipped[threat, name] = f"could not run: {first_line(error)}"
            advance(1)
        return findings

    def costs(self, made: Sequence[tuple[str, Inversions]]) -> list[AttackCost]:
        """What every inversion of the audit took, those of `made` first."""
        return [
            AttackCost(threat, each.method, len(each.ids), each.seconds / len(each.ids), each.queries / len(each.ids))
            for threat, each in (*made, *self._made)
        ]

    def _attack(self, threat: ThreatModel, name: str) -> list[Finding]:
        if ATTACKS[name].inverts:
            return self._inversion(threat, name)
        match name:
            case "membership":
                return self._membership(threat)
            case "payload":
                return self._payload(threat)
            case "defences":
                return self._defences(threat)
            case "attribute-inference":
                return self._inference(threat)
        raise BadInput(f"{name} is run by `workbench {name}`; an audit has no step for it yet")

    def _inversion(self, threat: ThreatModel, name: str) -> list[Finding]:
        plan, case = self._plan, self._case.head(self._plan.deep)
        found = self._attacking.invert(threat, name, case.stolen, f"first {plan.deep}")
        blind = self._attacking.invert(threat, name, case.shuffled, f"first {plan.deep}, shuffled")
        self._made.append((threat.name, found))
        hidden, embedder = case.corpus, self._attacking.embedder
        attack = score(found, hidden.texts, embedder, hidden.groups, "attack", seed=plan.seed)
        prior = score(blind, hidden.texts, embedder, hidden.groups, "prior", f"{name}, {PRIOR}", seed=plan.seed)
        title = f"{threat.id} {threat.name}: {name}, {len(hidden)} sentences"
        self.tables.append(ScoreTable(title, (attack, prior), bleu_signature(hidden.texts), chrf_signature()))
        floors = prior.leaks()
        return [self._finding(threat, name, what, value, floors[what]) for what, value in attack.leaks().items()]

    def _membership(self, threat: ThreatModel) -> list[Finding]:
        """Members are texts of the store, or of the corpus' test split; others come from the same split."""
        plan = self._plan

        def judge() -> Membership:
            if self._store is None or self._store.texts is None:
                public = corpora.load(plan.corpus, "test").texts
                members, others = public[: plan.members], public[plan.members : 2 * plan.members + _SPARE]
                vectors = self._attacking.embedder.embed(list(members), what="embed the members")
            else:
                members = [str(text) for text in self._store.texts[: plan.members]]
                others = corpora.load(plan.corpus, "test").texts[: plan.members + _SPARE]
                vectors = self._store.vectors
            candidates = Candidates.of(members, others)
            asked = self._attacking.embedder.embed(list(candidates.texts), what="embed the candidates")
            return store_membership(vectors, candidates, asked, threat)

        found = self._attacking.ledger.step(f"{threat.name} membership", judge)
        self.details.append(found)
        rate = found.best.at(_LEVEL)
        return [
            self._finding(threat, "membership", f"members found at {_LEVEL:.0%} false alarms", rate.found, rate.false)
        ]

    def _payload(self, threat: ThreatModel) -> list[Finding]:
        store = self._store
        if store is None:
            raise BadInput("an embedder is audited, not a store: there are no ids, labels or texts to look at")
        found: Payload = self._attacking.ledger.step("payload", lambda: payload(store, threat=threat))
        self.details.append(found)
        none = Estimate(0.0, 0.0, 0.0, found.n, "nothing is had without the store")
        return [
            self._finding(threat, "payload", "rows with personal data in plain sight", found.any_personal, none),
            self._finding(threat, "payload", "rows with free text in their labels", found.free_text, none),
        ]

    def _defences(self, threat: ThreatModel) -> list[Finding]:
        """Of each defence what the attacker that reads most still reads, beyond the most frequent class."""
        plan = self._plan

        def judge() -> DefenceScores:
            data, vectors = self._labelled()
            utility = Utility.of(self._attacking.embedder, plan.questions, plan.seed) if plan.questions else None
            seeds = range(plan.seed, plan.seed + plan.defence_seeds)
            return judge_defences(
                data, vectors, plan.defences, utility=utility, embedder=plan.embedder, seeds=tuple(seeds)
            )

        found = self._attacking.ledger.step("defences", judge)
        self.details.append(found)
        return [
            self._finding(
                threat, "defences", f"{found.attribute} read, defence: {row.defence}", row.worst.accuracy, found.prior
            )
            for row in found.rows
        ]

    def _inference(self, threat: ThreatModel) -> list[Finding]:
        """What labelled vectors tell of the others, beyond the other columns (or the most frequent class)."""
        plan = self._plan

        def infer() -> AttributeInference:
            if self._store is not None:
                return infer_attributes(self._store, [plan.label], threat=threat, seed=plan.seed)
            data, vectors = self._labelled()
            names = np.array(data.classes, dtype=object)[data.labels]
            ids = np.array([str(row) for row in range(len(vectors))], dtype=object)
            labels = {plan.label: names, "group": np.asarray(data.groups)}
            held = EmbeddingSet(ids, vectors, labels=labels)
            return infer_attributes(held, [plan.label], (), "group", threat=threat, seed=plan.seed)

        found = self._attacking.ledger.step("attribute-inference", infer)
        self.details.append(found)
        return [
            Finding(
                threat.name,
                "attribute-inference",
                f"{row.label} inferred (accuracy)",
                row.both or row.vectors,
                row.side or row.prior,
                row.excess,
                self._policy.grade(row.excess),
            )
            for row in found.rows
        ]

    def _finding(self, threat: ThreatModel, attack: str, measure: str, value: Estimate, floor: Estimate) -> Finding:
        return Finding.of(threat.name, attack, measure, value, floor, self._policy)

    def _labelled(self) -> tuple[Labelled, np.ndarray]:
        """Labelled rows of the store, or of a probing task, and their vectors."""
        plan, store = self._plan, self._store
        if store is None:
            task = load_task(plan.label)
            data = Labelled.of(task)
            rows = data.kept(plan.labelled)
            texts = [task.texts[row] for row in rows]
            return data.select(rows), cached_vectors(self._attacking.embedder, texts, what=f"embed {plan.label}")
        if plan.label not in store.labels:
            known = ", ".join(store.labels) or "none"
            raise BadInput(f"the store has no label {plan.label!r} to infer; it has: {known} (plan: label)")
        held = None if store.texts is None else [str(text) for text in store.texts]
        data = labelled_by(plan.label, store.labels[plan.label], None, held)
        rows = data.kept(plan.labelled)
        return data.select(rows), store.vectors[rows]
