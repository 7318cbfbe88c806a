"""What crosses to the browser: JSON, with arrays and long lists of texts as binary buffers beside it."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from workbench.core.errors import BadInput

_KINDS = {"f": np.float32, "i": np.int32, "u": np.uint32, "b": np.uint8}
_END = "\0"


def pack(value: Any) -> Any:
    """`value` in what JSON and buffers can hold; BadInput names what can be neither.

    Arrays become `{"kind", "shape", "bytes"}`: float32, int32, uint32, uint8 (of bool and uint8). Dataclasses become
    objects. A float that is not finite becomes None, because it is not JSON.
    """
    match value:
        case np.ndarray():
            return _array(value)
        case bool() | np.bool_():
            return bool(value)
        case None | bytes():
            return value
        case str():  # half a surrogate pair is no text
            return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {pack(str(key)): pack(item) for key, item in value.items()}
        case list() | tuple():
            return [pack(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return pack(asdict(value))
        case _:
            raise BadInput(
                f"a {type(value).__name__} cannot be shown; expected text, numbers, arrays, lists or mappings of them"
            )


def pack_texts(texts: Sequence[Any] | Shaped[np.ndarray, " n"]) -> dict[str, Any]:
    """Many texts as one UTF-8 buffer, which a browser takes apart when it first needs one."""
    whole = _END.join(str(text).replace(_END, "\ufffd") for text in texts)
    return {"kind": "texts", "shape": [len(texts)], "bytes": whole.encode("utf-8", "replace")}


def lift(value: Any, store: Callable[[bytes], Any]) -> Any:
    """A packed value with `store(bytes)` in the place of all bytes."""
    match value:
        case bytes():
            return store(value)
        case dict():
            return {key: lift(item, store) for key, item in value.items()}
        case list():
            return [lift(item, store) for item in value]
        case _:
            return value


def to_buffers(value: Any) -> tuple[Any, list[bytes]]:
    """A packed value for a message: bytes become `{"buffer": place}` in the list that goes beside it."""
    buffers: list[bytes] = []

    def store(content: bytes) -> dict[str, int]:
        buffers.append(content)
        return {"buffer": len(buffers) - 1}

    return lift(value, store), buffers


def to_base64(value: Any) -> Any:
    """A packed value for a page: bytes become `{"base64": text}`."""
    return lift(value, lambda content: {"base64": base64.b64encode(content).decode("ascii")})


def _array(array: Shaped[np.ndarray, "..."]) -> Any:
    if array.dtype.kind in "OUS":
        return [pack(item) for item in array.tolist()]
    kind = np.uint8 if array.dtype == np.uint8 else _KINDS.get(array.dtype.kind)
    if kind is None:
        raise BadInput(f"an array of {array.dtype} cannot be shown; expected numbers or texts")
    flat = np.ascontiguousarray(array, dtype=kind)
    return {"kind": np.dtype(kind).name, "shape": list(array.shape), "bytes": flat.tobytes()}
