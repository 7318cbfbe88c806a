"""The ladder: which attacks apply under which threat model, and what an attack costs."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.access import THREATS, Access, ThreatModel
from workbench.core.errors import AccessDenied
from workbench.results.audit_parts import Cell, Finding, worst


@dataclass(frozen=True)
class Attack:
    """An attack of the grid: what it needs, and CPU-seconds for a vector (or once), as measured on one core."""

    needs: Access
    seconds: float = 0.0
    once: float = 0.0
    inverts: bool = True
    """Whether it turns vectors into text."""
    vectors: bool = True
    """Whether it needs the stored vectors."""


ATTACKS: dict[str, Attack] = {
    "payload": Attack(Access.SAMPLES, inverts=False),
    "fingerprint": Attack(Access.SAMPLES, once=60.0, inverts=False),
    "unpaired": Attack(Access.SAMPLES, 0.2, 60.0),
    "few-shot": Attack(Access.PAIRS, 0.2, 5.0),
    "hypothesis": Attack(Access.QUERY, 0.2),
    "correction": Attack(Access.QUERY, 1.5),
    "search": Attack(Access.QUERY, 4.0),
    "zero-shot": Attack(Access.QUERY, 12.0, 60.0),
    "white-box": Attack(Access.WEIGHTS, 3.0),
    "membership": Attack(Access.QUERY, once=30.0, inverts=False),
    "attribute-inference": Attack(Access.PAIRS, once=30.0, inverts=False),
    "defences": Attack(Access.SAMPLES, once=120.0, inverts=False),
}
"""Columns of the grid."""
_ONLY = {"attribute-inference": "insider", "defences": "transformed-store", "payload": "stolen-store"}
"""Attacks that have a rung of their own."""
_LEAST: dict[str, tuple[str, ...]] = {
    "unpaired": ("public-text", "stolen-store"),
    "few-shot": ("leaked-pairs",),
    "fingerprint": ("stolen-store",),
    "membership": ("known-encoder",),
    "white-box": ("open-weights",),
}
"""The rungs that an attack is looked at under, where it is not all that grant what it needs."""


def admit(threat: ThreatModel, attack: str) -> None:
    """Return quietly where the threat model grants what an attack needs; raise AccessDenied where it does not."""
    if attack == "attribute-inference" and threat.name != "insider":
        raise AccessDenied(f"{attack} needs labels of some rows; threat model {threat.name!r} holds none")
    threat.admit(attack, ATTACKS[attack].needs)


def grid(asked: dict[str, tuple[str, ...]], skipped: dict[tuple[str, str], str], findings: list[Finding]) -> list[Cell]:
    """Every attack under every threat model: run, not applicable, or not run and why.

    `asked` are the attacks by threat model that the plan names, `skipped` those of them that could not run, and why.
    """
    cells = []
    for threat in THREATS.values():
        for attack in ATTACKS:
            here = tuple(each for each in findings if (each.threat, each.attack) == (threat.name, attack))
            why = skipped.get((threat.name, attack))
            if found := worst(here):
                cells.append(Cell(threat.name, attack, "run", f"{found.measure}: {found.grade}", found.excess))
            elif why is not None:
                cells.append(Cell(threat.name, attack, "not run", why))
            elif attack in asked.get(threat.name, ()):
                cells.append(Cell(threat.name, attack, "run", "see its section"))
            else:
                cells.append(_idle(threat, attack))
    return cells


def _idle(threat: ThreatModel, attack: str) -> Cell:
    """Why an attack that the plan does not name did not run here."""
    try:
        admit(threat, attack)
    except AccessDenied as refused:
        return Cell(threat.name, attack, "not applicable", str(refused))
    own = (_ONLY[attack],) if attack in _ONLY else _LEAST.get(attack)
    if own and threat.name not in own:
        return Cell(threat.name, attack, "not applicable", f"looked at under {', '.join(own)}")
    if own is None and threat.name != "known-encoder":
        return Cell(threat.name, attack, "not run", "the plan does not ask for it; known-encoder has the same attack")
    return Cell(threat.name, attack, "not run", "the plan does not ask for it")
