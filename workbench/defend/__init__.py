"""Defences: vectors in, disturbed vectors out. One file each; `open_defence` opens one by a line of text."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from workbench.core.errors import BadInput
from workbench.core.registry import Registry

if TYPE_CHECKING:
    from workbench.defend._defence import Defence

__all__ = ["DEFENCES", "open_defence"]

DEFENCES = Registry("defence", "workbench.defend")


def open_defence(line: str) -> Defence:
    """`noise:0.1` (share of the norm), `int8` or `binary`: a registered name and, after a colon, its strength."""
    name, _, strength = line.partition(":")
    member = DEFENCES.load(name)
    if not strength:
        return member()
    try:
        value = float(strength)
    except ValueError:
        raise BadInput(f"{line!r}: {name} cannot have the strength {strength!r}; expected a number") from None
    if not inspect.signature(member).parameters:
        raise BadInput(f"{line!r}: {name} has no strength")
    return member(value)
