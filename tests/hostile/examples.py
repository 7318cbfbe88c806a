"""A small value of every result type, made from its type hints: every sequence has two entries, so lengths agree."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from workbench import results  # noqa: F401  # registers the types
from workbench.core.errors import BadInput
from workbench.core.result import Result

_OWN: dict[str, dict[str, Any]] = {
    "AuditResult": {"schema_version": 2},
    "Direction": {"vector": [1.0]},
    "Inversions": {"cosines": [0.5, 0.5], "rounds": [1, 1], "path": []},
    "PairAttribution": {"matrix": [[0.5] * 3] * 3, "tokens_a": ["x", "y"], "tokens_b": ["x", "y"]},
}
"""Fields that must be more than a value of their type."""


@cache
def result_examples() -> dict[str, dict[str, Any]]:
    """JSON of one instance by type name; types that check more than lengths may be missing."""
    found = {}
    for name, kind in sorted(Result._kinds.items()):
        if not kind.__module__.startswith("workbench."):
            continue
        value = {"type": name, **_example(kind), **_OWN.get(name, {})}
        try:
            found[name] = Result.opened(value).to_json()
        except BadInput:
            continue
    return found


def _example(kind: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return {each.name: _example(hints[each.name]) for each in fields(kind)}
    if origin in (Union, types.UnionType):
        return _example(next(each for each in arguments if each is not type(None)))
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        kinds = arguments[:1] * 2 if arguments[-1] is Ellipsis else arguments
        return [_example(each) for each in kinds]
    if origin is not None and issubclass(origin, Mapping):
        return {"a": _example(arguments[1])}
    if hasattr(kind, "array_type"):
        value: Any = 1 if not any("float" in each for each in kind.dtypes) else 0.5
        for _ in kind.dims:
            value = [value, value]
        return value
    return {float: 0.5, int: 1, str: "x", bool: True, np.ndarray: ["a", "b"]}.get(kind, {})
