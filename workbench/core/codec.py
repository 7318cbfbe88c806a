"""Frozen dataclasses to plain JSON and back, driven by their type hints."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from workbench.core.errors import BadInput, WorkbenchError, first_line

_LARGEST = 2**63
NULL = "null"
"""Key in the metadata of a dataclass's field: the number that is not finite, which JSON has as null."""


def encode(value: Any) -> Any:
    """JSON-ready form of a dataclass of numbers, strings, arrays, tuples, mappings and further dataclasses."""
    if is_dataclass(value) and not isinstance(value, type):
        held = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: None if NULL in f.metadata and item == f.metadata[NULL] else encode(item) for f, item in held}
    if isinstance(value, np.ndarray):
        return [encode(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, float):
        if not np.isfinite(value):
            raise BadInput(f"{value} cannot be written as JSON")
        return value
    raise BadInput(f"a {type(value).__name__} cannot be written as JSON")


def decode(kind: Any, value: Any, where: str = "value") -> Any:
    """Rebuild what `encode` wrote as an instance of `kind`. Raises BadInput naming the place that does not fit."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if isinstance(kind, type) and is_dataclass(kind):
        return _decode_dataclass(kind, value, where)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return decode(next(a for a in arguments if a is not type(None)), value, where)
    if origin is Literal:
        if value not in arguments:
            raise BadInput(f"{where} is {value!r}; expected one of {arguments}")
        return value
    if origin is tuple:
        return _decode_tuple(arguments, value, where)
    if origin is not None and issubclass(origin, Mapping):
        _expect(value, dict, where)
        return {key: decode(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if hasattr(kind, "array_type") or kind is np.ndarray:  # jaxtyping's annotations of arrays
        return _decode_array(value, where)
    if kind is float:
        return _decode_float(value, where)
    _expect(value, kind, where)
    if kind is int and abs(value) >= _LARGEST:
        raise BadInput(f"{where} has {len(hex(value))} hexadecimal digits; expected a number of at most 64 bits")
    return value


def _decode_array(value: Any, where: str) -> np.ndarray:
    _expect(value, list, where)
    if any(isinstance(item, str) for item in value):
        if odd := [item for item in value if isinstance(item, list | dict)]:
            raise BadInput(f"{where} holds a {type(odd[0]).__name__} among texts")
        return np.array(value, dtype=object)
    try:
        found = np.array(value)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{where} is no array: {first_line(error)}") from error
    if found.dtype.kind not in "biuf" or not np.isfinite(found).all():
        raise BadInput(f"{where} is not an array of finite numbers, nor of texts")
    return found


def _decode_float(value: Any, where: str) -> float:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        value = float(value)
    _expect(value, float, where)
    if not np.isfinite(value):
        raise BadInput(f"{where} is {value}; expected a finite number")
    return value


def _decode_dataclass(kind: type, value: Any, where: str) -> Any:
    _expect(value, dict, where)
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}
    if unknown := set(value) - set(known):
        raise BadInput(f"{where} has the unknown keys {', '.join(sorted(unknown))}")

    def decoded(name: str, item: Any) -> Any:
        absent = known[name].metadata.get(NULL)
        return absent if item is None and absent is not None else decode(hints[name], item, f"{where}.{name}")

    try:
        return kind(**{name: decoded(name, item) for name, item in value.items()})
    except WorkbenchError:
        raise
    except Exception as error:  # a field that is missing, or what a class checks of its fields
        raise BadInput(f"{where} is not a whole {kind.__name__}: {first_line(error)}") from error


def _decode_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    """`tuple[X, ...]` of any length, or `tuple[X, Y]` of just these."""
    _expect(value, list, where)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise BadInput(f"{where} has {len(value)} entries; expected {len(kinds)}")
    return tuple(decode(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _expect(value: Any, kind: type, where: str) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadInput(f"{where} is {type(value).__name__}; expected {kind.__name__}")
