"""Arrow tables as pages: which columns are what, and batches of an even size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput
from workbench.data.stores._columns import Columns, Role
from workbench.data.stores._page import Page, column

_LABEL = "label."
"""Prefix of the label columns in files of our own."""


def roles(schema: pa.Schema) -> dict[str, Role]:
    """What each column can be."""
    return {field.name: _role(field.type) for field in schema}


def page_of(table: pa.Table, names: Columns, first: int, dim: int) -> Page:
    """Rows `first`, `first` + 1, ... of a table; ids are the rows' numbers where there is no column for them."""
    n = len(table)
    if names.id:
        ids = [str(value) for value in table[names.id].to_pylist()]
        if (gap := table[names.id].null_count) and n:
            raise BadInput(f"{gap} rows after row {first:,} have no {names.id}")
    else:
        ids = [str(first + row) for row in range(n)]
    return Page(
        ids=ids,
        vectors=_matrix(table[names.vector], ids, dim),
        texts=table[names.text].to_pylist() if names.text else None,
        labels={name.removeprefix(_LABEL): column(table[name].to_pylist()) for name in names.labels},
    )


def dim_of(table: pa.Table, vector: str) -> int:
    """Length of the first vector, 0 where there is none."""
    return next((len(value) for value in table[vector].to_pylist() if value is not None), 0)


def rebatch(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """The same rows as tables of `size` rows; the last one may be shorter."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += len(batch)
        while rows >= size:
            table = pa.Table.from_batches(held)
            yield table.slice(0, size)
            held = table.slice(size).to_batches()
            rows -= size
    if rows:
        yield pa.Table.from_batches(held)


def stored(schema: pa.Schema, vector: str) -> np.dtype:
    """Type of the numbers in a column of vectors."""
    return np.dtype(schema.field(vector).type.value_type.to_pandas_dtype())


def origin_of(schema: pa.Schema) -> Provenance:
    """What a file that `EmbeddingSet.save` wrote says of its vectors; of another one, that nothing is known."""
    sample = pa.table({"id": ["0"], "vector": [[1.0]]}).replace_schema_metadata(schema.metadata)
    return EmbeddingSet.from_arrow(sample).provenance


def _role(kind: pa.DataType) -> Role:
    if _is_list(kind) and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        return "vector"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "other"
    return "plain"


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _matrix(values: pa.ChunkedArray, ids: list[str], dim: int) -> Float[np.ndarray, "n d"]:
    array = pa.concat_arrays(values.chunks)
    if array.null_count:
        raise BadInput(f"the row {ids[int(np.flatnonzero(~np.asarray(array.is_valid()))[0])]!r} has no vector")
    lengths = np.asarray(array.value_lengths())
    if (odd := np.flatnonzero(lengths != dim)).size:
        row = int(odd[0])
        raise BadInput(f"the row {ids[row]!r} has {lengths[row]} dimensions, but the first row has {dim}")
    numbers = array.flatten()
    if numbers.null_count:
        place = int(np.flatnonzero(~np.asarray(numbers.is_valid()))[0])
        raise BadInput(f"the row {ids[place // dim]!r} has a missing number in its vector")
    return np.asarray(numbers, dtype=np.float32).reshape(len(ids), dim)
