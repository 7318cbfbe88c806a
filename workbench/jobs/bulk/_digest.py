"""One number for the content of many rows that does not depend on who wrote them, when, or in which parts."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

MODULUS = 1 << 256


def rows_digest(table: pa.Table, numbers: Sequence[int]) -> int:
    """Sum over rows, modulo 2^256, of the SHA-256 of a row's number and values.

    Numbers are unlike, so a row that is lost, doubled or put elsewhere changes the sum. (It guards against faults, not
    against a forger, who could find rows of a given sum.)
    """
    columns = [_bytes_of(table[name]) for name in table.column_names]
    total = 0
    for number, *values in zip(numbers, *columns, strict=True):
        total += _row(b"row", number, values)
    return total % MODULUS


def quarantine_digest(numbers: Iterable[int], ids: Iterable[str | None]) -> int:
    """The same of rows that were set aside; their reasons are words, and do not count."""
    pairs = zip(numbers, ids, strict=True)
    return sum(_row(b"aside", number, [(id or "").encode("utf-8", "surrogatepass")]) for number, id in pairs) % MODULUS


def seal(schema: Sequence[str], rows: int, quarantined: int, total: int) -> str:
    """Hex SHA-256 of columns, counts, and the sum over all rows of all parts."""
    return hashlib.sha256(json.dumps([list(schema), rows, quarantined, f"{total:064x}"]).encode()).hexdigest()


def _row(kind: bytes, number: int, values: Sequence[bytes]) -> int:
    digest = hashlib.sha256(kind + struct.pack("<q", number))
    for value in values:
        digest.update(struct.pack("<q", len(value)))
        digest.update(value)
    return int.from_bytes(digest.digest(), "big")


def _bytes_of(column: pa.ChunkedArray) -> list[bytes]:
    """Each value's bytes: vectors and texts as they lie in memory, all else as JSON."""
    kind = column.type
    if pa.types.is_fixed_size_list(kind):
        flat = np.concatenate([np.asarray(chunk.flatten()) for chunk in column.chunks] or [np.empty(0, np.float32)])
        return [row.tobytes() for row in np.ascontiguousarray(flat).reshape(-1, kind.list_size)]
    if pa.types.is_string(kind):
        return [b"" if value is None else value for value in column.cast(pa.binary()).to_pylist()]
    return [json.dumps(value).encode() for value in column.to_pylist()]
