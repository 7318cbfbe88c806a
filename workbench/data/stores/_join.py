"""Parquet parts of one store into one file, a row group each, though their labels may differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core.errors import BadInput
from workbench.core.files import atomic_path
from workbench.core.tables import whole_parquet
from workbench.data.stores._arrow import origin_of


@dataclass(frozen=True)
class Joined:
    """Rows of the file that was written, and whether all of them have norm 1."""

    rows: int
    normalised: bool


def join(parts: list[Path], out: Path, limit: int, name: str, notes: tuple[str, ...] = ()) -> Joined:
    """Write the first `limit` rows (0: all) of the parts to `out`, whole or not at all; one part is in memory at once.

    A label that only some parts have is missing in the others; one whose type differs becomes text. `notes` are added
    to the provenance. Raises BadInput, which calls the store `name`, for an id that stands in two rows.
    """
    schemas = [_schema(part) for part in parts]
    normalised = all(origin_of(schema).normalised is True for schema in schemas)
    made = origin_of(schemas[0])
    made = replace(made, normalised=normalised, notes=(*made.notes, *notes))
    schema = pa.schema(_fields(schemas), metadata=made.metadata())
    rows, hashes = 0, []
    with atomic_path(out) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for part in parts:
                with whole_parquet(part):
                    table = _like(pq.read_table(part), schema)
                table = table.slice(0, limit - rows) if limit else table
                if len(table):
                    writer.write_table(table)
                    hashes.append(_hashes(table))
                    rows += len(table)
        _refuse_duplicates(np.concatenate(hashes), parts, name)
    return Joined(rows, normalised)


def _schema(part: Path) -> pa.Schema:
    with whole_parquet(part):
        return pq.read_schema(part)


def _fields(schemas: Iterable[pa.Schema]) -> list[pa.Field]:
    """Every column that any part has, of a type that all of them can take."""
    kinds: dict[str, list[pa.DataType]] = {}
    for schema in schemas:
        for field in schema:
            kinds.setdefault(field.name, []).append(field.type)
    return [pa.field(name, _common(set(found))) for name, found in kinds.items()]


def _common(kinds: set[pa.DataType]) -> pa.DataType:
    schemas = [pa.schema([("x", kind)]) for kind in kinds]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field("x").type
    except pa.ArrowException:
        return pa.string()


def _like(table: pa.Table, schema: pa.Schema) -> pa.Table:
    found = {
        field.name: table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    }
    return pa.table(found, schema=schema)


def _hashes(table: pa.Table) -> np.ndarray:
    return np.fromiter((hash(id) for id in table["id"].to_pylist()), np.int64, len(table))


def _refuse_duplicates(hashes: np.ndarray, parts: list[Path], name: str) -> None:
    """Eight bytes a row tell whether two ids may be the same; only if so are the ids themselves counted."""
    hashes.sort()
    again = hashes[1:][hashes[1:] == hashes[:-1]]
    if not len(again):
        return
    suspects = set(again.tolist())
    seen: Counter[str] = Counter()
    for part in parts:
        seen.update(id for id in pq.read_table(part, columns=["id"])["id"].to_pylist() if hash(id) in suspects)
    for id, times in seen.most_common(1):
        if times > 1:
            raise BadInput(f"{name} has the id {id!r} in more than one row; name a unique column with ?id=COLUMN")
