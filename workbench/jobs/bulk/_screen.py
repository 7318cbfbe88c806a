"""Poison: rows that no model should be given, each with its reason."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float

from workbench.core.errors import BadInput

Kind = Literal["text", "vector"]
LONGEST = 1_000_000
"""Most bytes of a text. Embedders cut texts of a few thousand at their own limit; what is longer is no text."""


def require_column(schema: pa.Schema, name: str, kind: Kind, where: str) -> None:
    """Raise BadInput unless a file has the column, and texts or vectors are in it."""
    if (count := schema.names.count(name)) != 1:
        has = f"{count} columns" if count else "no column"
        raise BadInput(f"{where} has {has} {name!r}; it has: {', '.join(schema.names) or 'none'}")
    found = schema.field(name).type
    if not (_is_text(found) if kind == "text" else _is_vector(found)):
        expected = "texts" if kind == "text" else "lists of numbers"
        raise BadInput(f"{where}: column {name!r} is {found}; expected {expected}")


def poison_texts(column: pa.ChunkedArray) -> list[str]:
    """A reason for each text that is missing, blank, too long, or not UTF-8; "" for the others."""
    reasons = []
    for size, text in zip(pc.binary_length(column).to_pylist(), column, strict=True):  # pyright: ignore[reportAttributeAccessIssue]
        if size is None:
            reasons.append("no text")
        elif size > LONGEST:
            reasons.append(f"a text of {size:,} bytes; at most {LONGEST:,} are read")
        else:
            reasons.append(_text_fault(text))
    return reasons


def poison_vectors(column: pa.ChunkedArray, dim: int) -> list[str]:
    """A reason for each vector that is missing, has not `dim` numbers, holds NaN or infinity, or is zero; else ""."""
    lengths = pc.list_value_length(column).to_pylist()  # pyright: ignore[reportAttributeAccessIssue]
    reasons = ["no vector" if n is None else f"{n} dimensions; expected {dim}" if n != dim else "" for n in lengths]
    fit = [row for row, reason in enumerate(reasons) if not reason]
    if fit:
        vectors = matrix(column.take(pa.array(fit)), dim)
        finite = np.isfinite(vectors).all(axis=1)
        for place in np.flatnonzero(~(finite & vectors.any(axis=1))).tolist():
            reasons[fit[place]] = (
                "all zeros" if np.isfinite(vectors[place]).all() else "NaN, infinity or a missing number"
            )
    return reasons


def matrix(column: pa.ChunkedArray, dim: int) -> Float[np.ndarray, "n d"]:
    """Vectors of one length as float32; a missing number, and one that float32 cannot hold, becomes NaN or infinity."""
    chunks = [np.asarray(chunk.flatten().to_numpy(zero_copy_only=False)) for chunk in column.chunks]
    numbers = np.concatenate(chunks) if chunks else np.empty(0, np.float32)
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32).reshape(-1, dim)


def _text_fault(text: pa.Scalar) -> str:
    try:
        return "" if text.as_py().strip() else "a blank text"
    except UnicodeDecodeError:
        return "a text that is not UTF-8"


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_vector(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return lists and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))
