"""JSON Schema (draft 2020-12) of what results are written as, derived from the dataclasses that they are."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from workbench.core.codec import NULL
from workbench.core.result import Result

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def result_schema(kind: type[Result]) -> dict[str, Any]:
    """Schema of `Result.to_json` for one type of result; what it takes, `Result.from_json` takes too."""
    known: dict[str, Any] = {}
    root = _result(kind, known)
    return {"$schema": DRAFT, "title": kind.__name__, **root, "$defs": known}


def report_schema(kinds: Iterable[type[Result]], version: int) -> dict[str, Any]:
    """Schema of the JSON of a whole report, which may hold results of these types."""
    known: dict[str, Any] = {}
    results = {kind.__name__: _result(kind, known) for kind in kinds}
    known |= {f"results.{name}": root for name, root in results.items()}
    return {
        "$schema": DRAFT,
        "title": "A report of the embedding workbench",
        **_object(
            {
                "schema_version": {"const": version},
                "title": {"type": "string"},
                "made": {"type": "string"},
                "results": {
                    "type": "array",
                    "items": {"oneOf": [{"$ref": f"#/$defs/results.{name}"} for name in results]},
                },
            },
            ("schema_version", "title", "made", "results"),
        ),
        "$defs": known,
    }


def _result(kind: type[Result], known: dict[str, Any]) -> dict[str, Any]:
    inside = _dataclass(kind, known)
    named = {"type": {"const": kind.__name__}, "schema_version": {"const": kind.schema_version}}
    return _object({**named, **inside["properties"]}, ("type", "schema_version", *inside["required"]))


def _object(properties: Mapping[str, Any], required: Iterable[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _dataclass(kind: type, known: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    found = {each.name: _of(hints[each.name], known) for each in fields(kind)}
    absent = {
        each.name: {"anyOf": [found[each.name], {"type": "null"}]} for each in fields(kind) if NULL in each.metadata
    }
    return _object(found | absent, needed)


def _of(kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Schema of a type hint, as `workbench.core.codec` writes it; dataclasses go to `known` and are referred to."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return {}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if isinstance(kind, type) and is_dataclass(kind):
        name = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
        if name not in known:
            known[name] = {}  # a type may hold itself
            known[name] = _dataclass(kind, known)
        return {"$ref": f"#/$defs/{name}"}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of(each, known) for each in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _of(arguments[0], known)}
    if origin is tuple:
        entries = [_of(each, known) for each in arguments]
        return {"type": "array", "prefixItems": entries, "minItems": len(entries), "maxItems": len(entries)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(arguments[1], known)}
    if hasattr(kind, "array_type") or kind is np.ndarray:
        return {"type": "array"}
    raise TypeError(f"{kind} has no form in JSON; codec knows it as little")
