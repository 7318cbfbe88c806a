"""Arrow tables as pages: which columns are what, and batches of an even size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from workbench.core.bad_rows import matrix_of, usual_length
from workbench.core.columns import Columns
from workbench.core.embedding_set import Provenance
from workbench.core.errors import BadInput
from workbench.core.ids import id_text
from workbench.data.stores._page import Page, column

_LABEL = "label."
"""Prefix of the label columns in files of our own."""


def page_of(table: pa.Table, names: Columns, first: int, dim: int) -> Page:
    """Rows `first`, `first` + 1, ... of a table; ids are the rows' numbers where there is no column for them."""
    n = len(table)
    if names.id:
        ids = [id_text(value) for value in table[names.id].to_pylist()]
        if gap := sum(id is None for id in ids):
            raise BadInput(f"{gap} rows after row {first:,} have no {names.id}")
    else:
        ids = [str(first + row) for row in range(n)]
    vectors, faults = matrix_of(table[names.vector], dim)
    return Page(
        ids=[str(id) for id in ids],
        vectors=vectors,
        faults=faults,
        texts=table[names.text].to_pylist() if names.text else None,
        labels={name.removeprefix(_LABEL): column(table[name].to_pylist()) for name in names.labels},
    )


def dim_of(table: pa.Table, vector: str) -> int:
    """The length that most of these vectors have, 0 where there is none."""
    return usual_length(np.array([len(value) for value in table[vector].to_pylist() if value is not None], np.int64))


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
    return Provenance.of_schema(schema) or Provenance()
