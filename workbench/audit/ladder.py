"""The ladder: which attacks apply under which threat model, and what an attack costs."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.access import THREATS, Access, ThreatModel
from workbench.core.errors import AccessDenied
from workbench.invert import INVERTERS
from workbench.results.audit_parts import Cell, Finding, worst


@dataclass(frozen=True)
class Attack:
    """An attack of the grid: CPU-seconds for a vector and once, as measured on one core, and what it needs."""

    seconds: float = 0.0
    once: float = 0.0
    own_needs: Access | None = None
    """Of an attack that is no inverter; an inverter's class states its own."""

    @property
    def inverts(self) -> bool:
        """Whether it turns vectors into text."""
        return self.own_needs is None


ATTACKS: dict[str, Attack] = {
    "payload": Attack(own_needs=Access.SAMPLES),
    "fingerprint": Attack(once=60.0, own_needs=Access.SAMPLES),
    "unpaired": Attack(0.2, 120.0),
    "few-shot": Attack(0.2, 5.0),
    "hypothesis": Attack(0.2),
    "correction": Attack(1.5),
    "search": Attack(4.0),
    "zero-shot": Attack(12.0, 60.0),
    "white-box": Attack(3.0),
    "membership": Attack(once=30.0, own_needs=Access.QUERY),
    "attribute-inference": Attack(once=30.0, own_needs=Access.PAIRS),
    "defences": Attack(once=150.0, own_needs=Access.SAMPLES),
}
"""Columns of the grid: what is no inverter, and those inverters that are more than a floor."""
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


def needs(attack: str) -> Access:
    """What an attack of the grid needs, as its class says where it is an inverter."""
    own = ATTACKS[attack].own_needs
    return INVERTERS.load(attack).needs if own is None else own


def admit(threat: ThreatModel, attack: str) -> None:
    """Return quietly where the threat model grants what an attack needs; raise AccessDenied where it does not."""
    if attack == "attribute-inference" and threat.name != "insider":
        raise AccessDenied(f"{attack} needs labels of some rows; threat model {threat.name!r} holds none")
    threat.admit(attack, needs(attack))


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
