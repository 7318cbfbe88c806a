"""Inverters: vectors into text. One file each; the folder is the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import require
from workbench.core.registry import Registry

if TYPE_CHECKING:
    from workbench.invert._inverter import Attacker, Inverter

__all__ = ["INVERTERS", "open_inverter"]

INVERTERS = Registry("inverter", "workbench.invert")


def open_inverter(name: str, attacker: Attacker) -> Inverter:
    """The inverter called `name`, ready for `attacker`. Raises UnknownName, and AccessDenied where it needs more."""
    from workbench.core.access import ThreatModel
    from workbench.embed._embedder import Embedder
    from workbench.invert._inverter import Attacker

    require(attacker, Attacker, "attacker")
    require(attacker.embedder, Embedder, "the attacker's embedder")
    require(attacker.threat, ThreatModel, "the attacker's threat")
    member: Any = INVERTERS.load(name)
    attacker.threat.admit(name, member.needs)
    return member.open(attacker)
