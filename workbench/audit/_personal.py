"""Planted personal data: the attack, its prior, the floors, and the most frequent values as a blind guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.audit._attacking import Attacking, Case
from workbench.audit._planted import frequent_values, persons, recoveries
from workbench.audit.plan import AuditPlan
from workbench.core.estimate import Estimate
from workbench.data import personal
from workbench.data.personal import PersonalCorpus
from workbench.invert._inverter import PRIOR
from workbench.results import Inversions, Persons, Recovery
from workbench.results.audit_parts import Finding, Policy

FREQUENT = "most frequent value"
_PUBLIC = 2000


@dataclass(frozen=True)
class PersonalData:
    """Recovery by kind and method, and the persons that each method reads of."""

    recoveries: tuple[Recovery, ...]
    persons: tuple[Persons, ...]

    def findings(self, plan: AuditPlan) -> list[Finding]:
        """Each kind, and persons, by the attack: beyond the better of its prior and the most frequent values."""
        policy, blind = Policy(plan.severe, plan.substantial), (f"{plan.attack}, {PRIOR}", FREQUENT)
        out = []
        for found in (each for each in self.recoveries if each.method == plan.attack):
            floors = [each.exact for each in self.recoveries if each.kind == found.kind and each.method in blind]
            out.append(_finding(plan, policy, f"personal data: {found.kind}", found.exact, floors))
        own = next(each for each in self.persons if each.method == plan.attack)
        floors = [each.anything for each in self.persons if each.method in blind]
        out.append(_finding(plan, policy, "personal data: any value of a person", own.anything, floors))
        return out


def read_personal(records: PersonalCorpus, attacking: Attacking, case: Case, read: Inversions) -> PersonalData:
    """Score what the attack has `read` of the records, and what needs no attack."""
    plan = attacking.plan
    blind = list(attacking.invert(plan.main, plan.attack, case.shuffled, "records, shuffled").texts)
    guess = " ".join(frequent_values(personal.load("train", _PUBLIC, plan.seed)).values())
    told: dict[str, Sequence[str]] = {plan.attack: list(read.texts)}
    for name in plan.floors:
        told[name] = list(attacking.invert(plan.main, name, case.stolen, "records").texts)
    told[f"{plan.attack}, {PRIOR}"] = blind
    told[FREQUENT] = [guess] * len(records)
    found = [
        each
        for method, texts in told.items()
        for each in recoveries(records, texts, method, blind if method == plan.attack else None)
    ]
    kinds = list(dict.fromkeys(each.kind for each in found))
    return PersonalData(
        tuple(sorted(found, key=lambda each: kinds.index(each.kind))),
        tuple(
            persons(records, texts, method, blind if method == plan.attack else None) for method, texts in told.items()
        ),
    )


def _finding(plan: AuditPlan, policy: Policy, measure: str, value: Estimate, floors: Sequence[Estimate]) -> Finding:
    return Finding.of(plan.threat, plan.attack, measure, value, max(floors, key=lambda each: each.value), policy)
