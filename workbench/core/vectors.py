"""What every room does with tables of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import BadInput, first_line

_DEAD = 1e-3
"""Dimensions with less of the usual spread are dead."""


_ROWS = 65_536
"""Rows that are looked at together, so that looking takes no memory that grows with the table."""


def finite_rows(table: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
    """Which rows hold neither NaN nor infinity."""
    return np.concatenate([np.isfinite(table[i : i + _ROWS]).all(axis=1) for i in range(0, len(table) or 1, _ROWS)])


def real_numbers(table: Any, what: str = "vectors") -> Float[np.ndarray, "..."]:
    """A table of real numbers in double precision: arrays of floats, whole numbers or truth values, torch tensors, data
    frames and lists. BadInput names what is none: complex numbers, texts, other objects, masked entries."""
    if hasattr(table, "detach"):  # a tensor may hold a graph, lie on a device, and be of a type that numpy lacks
        table = table.detach().cpu()
        table = table.numpy() if table.is_complex() else table.double().numpy()
    if isinstance(table, np.ma.MaskedArray) and np.ma.is_masked(table):
        raise BadInput(f"{what} has masked entries; leave such rows out or fill them")
    try:
        found = np.asarray(table)
        if found.dtype.kind == "O" and not any(isinstance(each, str | bytes | complex) for each in found.ravel()):
            found = found.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{what} is not a table of numbers: {first_line(error)}") from error
    if found.dtype.kind not in "fiub":
        raise BadInput(f"{what} holds {found.dtype}; expected real numbers: floats, whole numbers or truth values")
    return found.astype(np.float64, copy=False)


def float_type(table: Any) -> type[np.floating]:
    """float64 for a table of float64 (or wider), else float32, which holds what is computed of it."""
    kind = str(getattr(table, "dtype", "") or np.asarray(table).dtype)
    return np.float64 if kind.endswith(("float64", "longdouble", "float128")) else np.float32


def require_finite(table: Float[np.ndarray, "n d"], what: str = "vectors") -> None:
    """Raise BadInput with the first row that holds NaN or infinity."""
    finite = finite_rows(table)
    if not finite.all():
        raise BadInput(f"row {int(np.flatnonzero(~finite)[0])} of {what} holds NaN or infinity; leave such rows out")


def live(vectors: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " d"]:
    """Dimensions that vary: MiniLM and MPNet have some whose spread is a millionth of the others' and less.

    A probe that standardises divides its weight by that spread, and as a direction it would lie all in them.
    """
    spread = vectors.std(0)
    return spread > _DEAD * np.sqrt(np.square(spread).mean())


def whitening(covariance: Float[np.ndarray, "d d"], floor: float) -> Float[np.ndarray, "d d"]:
    """What centred vectors are multiplied by to vary alike in every direction; `floor` is the least variance of a
    direction, relative to the mean one, for directions without spread would shout."""
    spread, axes = np.linalg.eigh(covariance)
    return axes / np.sqrt(np.maximum(spread, floor * spread.mean()))


def unit(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Vectors of length 1; a zero vector stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def nearest_others(vectors: Float[np.ndarray, "n d"], k: int) -> Int[np.ndarray, "n k"]:
    """Rows of the k nearest other vectors by cosine, the nearest first; vectors of unit length, k < n."""
    found = np.empty((len(vectors), k), np.int64)
    for start in range(0, len(vectors), 1024):
        cosines = (vectors[start : start + 1024] @ vectors.T).astype(np.float32)
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -np.inf
        best = np.argpartition(-cosines, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(cosines, best, 1), axis=1, kind="stable")
        found[start : start + 1024] = np.take_along_axis(best, order, 1)
    return found


def are_unit(vectors: Float[np.ndarray, "n d"]) -> bool:
    """Whether every vector has length 1, as far as the type that its numbers were rounded to can show it.

    Numbers of float32 or more that no coarser type holds may miss 1 by 1e-4 (decimals of an endpoint, sums in another
    order); those that float16 or bfloat16 hold exactly, as after a round trip through that type, by its spacing at 1.
    """
    if not len(vectors):
        return False
    most = max(1e-4, _spacing(vectors))
    for start in range(0, len(vectors), 1024):  # small enough to stay in the cache
        rows = vectors[start : start + 1024]
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        if not (np.abs(lengths - 1) <= most).all():
            return False
    return True


def _spacing(vectors: Float[np.ndarray, "n d"]) -> float:
    """Spacing at 1 of the coarsest floating-point type that holds some of these numbers exactly."""
    some = np.ascontiguousarray(vectors[:: max(1, len(vectors) // 64)][:64], dtype=np.float32)
    if not (some.view(np.uint32) & 0xFFFF).any():
        return 2.0**-7
    with np.errstate(over="ignore", invalid="ignore"):
        return 2.0**-10 if (some.astype(np.float16) == some).all() else 2.0**-23
