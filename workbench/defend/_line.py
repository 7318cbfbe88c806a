"""Lines that name a defence: `name:strength?option=value&option=value`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.defend._defence import Defence, Fitter
from workbench.defend._key import draw_key, read_key


@dataclass(frozen=True)
class Ready(Fitter):
    """A defence that has nothing to learn."""

    defence: Defence

    def fit(
        self,
        vectors: Float[np.ndarray, "n d"],
        random: np.random.Generator,
        labels: Mapping[str, Any] | None = None,
    ) -> Defence:
        """The defence itself."""
        return self.defence


@dataclass(frozen=True)
class WithDrawnKey(Fitter):
    """A keyed defence whose key is still to be drawn."""

    member: Callable[..., Defence]
    options: Mapping[str, Any] = field(repr=False)

    def fit(
        self,
        vectors: Float[np.ndarray, "n d"],
        random: np.random.Generator,
        labels: Mapping[str, Any] | None = None,
    ) -> Defence:
        """The defence with a key from `random`, which is kept nowhere else."""
        return self.member(**self.options, key=draw_key(random))


def parts(line: str) -> tuple[str, str, dict[str, str]]:
    """Name, strength and options."""
    whole, _, query = line.partition("?")
    name, _, strength = whole.partition(":")
    return name, strength, dict(parse_qsl(query, keep_blank_values=True))


def without_key(line: str) -> str:
    """The line as it may be shown: its key left out."""
    whole, _, query = line.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("key=")]
    return whole + ("?" + "&".join(kept) if kept else "")


def options_of(member: Callable[..., Any], line: str) -> dict[str, Any]:
    """What the line states, as the types that the member's parameters have; the strength is its first parameter."""
    name, strength, given = parts(line)
    kinds = {key: each.annotation for key, each in inspect.signature(member, eval_str=True).parameters.items()}
    shown = without_key(line)
    first = next((key for key in kinds if key != "key"), None)
    if strength:
        if first is None:
            raise BadInput(f"{shown!r}: {name} has no strength")
        if first in given:
            raise BadInput(f"{shown!r} states {first} twice")
        given = {first: strength, **given}
    for key in given:
        if key not in kinds:
            raise BadInput(f"{shown!r} has the option {key}; known: {', '.join(kinds) or 'none'}")
    called = {first: "strength"} if strength else {}
    return {key: _value(text, kinds[key], f"{shown!r}: {name}", called.get(key, key)) for key, text in given.items()}


def _value(text: str, kind: Any, where: str, what: str) -> Any:
    if what == "key":
        return read_key(text)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise BadInput(f"{where} cannot have the {what} {text!r}; expected true or false")
        return text.lower() == "true"
    if kind not in (int, float):
        return text
    try:
        found = kind(text)
        if kind is float and not math.isfinite(found):
            raise ValueError(text)
        return found
    except ValueError:
        expected = "a whole number" if kind is int else "a finite number"
        raise BadInput(f"{where} cannot have the {what} {text!r}; expected {expected}") from None
