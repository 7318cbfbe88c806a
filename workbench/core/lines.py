"""One line of text that names a member of a registry, what it opens, and options: `kind:where?option=value`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from workbench.core.errors import BadInput


@dataclass(frozen=True)
class Line:
    """The parts of a line; `where` may hold colons itself, `options` are decoded as in a web address."""

    kind: str
    where: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Line:
        """Cut a line at its first `?` and its first `:`."""
        whole, _, query = text.partition("?")
        kind, _, where = whole.partition(":")
        return cls(kind, where, dict(parse_qsl(query)))


def typed_options(
    member: Callable[..., Any], given: Mapping[str, str], name: str, reserved: Collection[str]
) -> dict[str, Any]:
    """The given options, as the types that the member's parameters have; `reserved` parameters are no options.

    Raises BadInput, which calls the line `name`, for an option that is not there or a value of another type.
    """
    parameters = inspect.signature(member, eval_str=True).parameters
    known = {key: parameter.annotation for key, parameter in parameters.items() if key not in reserved}
    found = {}
    for key, value in given.items():
        if key not in known:
            raise BadInput(f"{name!r} has the option {key}; known: {', '.join(known) or 'none'}")
        found[key] = _value(value, known[key], key)
    return found


def _value(text: str, kind: type, key: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise BadInput(f"{key} is {text!r}; expected true or false")
        return text.lower() == "true"
    try:
        found = kind(text)
        if kind is float and not math.isfinite(found):
            raise ValueError(text)
        return found
    except ValueError:
        raise BadInput(
            f"{key} is {text!r}; expected {'a whole number' if kind is int else 'a finite number'}"
        ) from None
