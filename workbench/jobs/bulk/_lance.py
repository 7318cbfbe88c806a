"""Lance beside Parquet: a dataset as a run's input, and all rows of a finished run as one dataset."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core.errors import CannotWrite, first_line
from workbench.core.files import sha256_of
from workbench.core.tables import whole_parquet
from workbench.data.stores._lance import LANCE, open_dataset
from workbench.data.stores._library import engine, need

ROWS = f"rows{LANCE}"
_BATCH = 1024


def whole_input(name: str) -> AbstractContextManager[None]:
    """Where what is raised of a damaged input, of either form, is a BadInput."""
    return engine(name, "is not a whole Lance dataset") if name.endswith(LANCE) else whole_parquet(name)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a dataset. Raises OSError where there is nothing."""
    return path.stat().st_size if path.suffix != LANCE else sum(each.stat().st_size for each in _inside(path))


def digest_of(path: Path) -> str:
    """Hex SHA-256 of a file, or of the names and digests of a dataset's files."""
    if path.suffix != LANCE:
        return sha256_of(path)
    digest = hashlib.sha256()
    for each in _inside(path):
        digest.update(f"{sha256_of(each)} {each.relative_to(path).as_posix()}\n".encode())
    return digest.hexdigest()


def count_of(path: Path) -> int:
    """Rows of a file or a dataset."""
    if path.suffix == LANCE:
        return open_dataset(path).count_rows()
    with pq.ParquetFile(path) as file:
        return file.metadata.num_rows


def schema_at(path: Path) -> pa.Schema:
    """Columns and metadata of a file or a dataset."""
    return open_dataset(path).schema if path.suffix == LANCE else pq.read_schema(path)


def first_rows(path: Path, rows: int) -> pa.Table:
    """The first so many rows of a file or a dataset."""
    if path.suffix == LANCE:
        return open_dataset(path).search().limit(rows).to_arrow()
    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(rows), None)
        return pa.Table.from_batches([batch] if batch is not None else [], file.schema_arrow)


def read_rows(path: Path, start: int, rows: int, columns: Sequence[str]) -> pa.Table:
    """So many rows of a dataset from row `start` on, with those of the columns that it has. Each call is a reading of
    its own, so which rows of a damaged dataset can be read does not depend on what was read before."""
    table = open_dataset(path)
    known = [name for name in columns if name in table.schema.names]
    return table.search().select(known).offset(start).limit(rows).to_arrow()


def write_dataset(place: Path, parts: Sequence[Path], aside: Path) -> None:
    """All rows of Parquet files of one schema as one dataset, in their order and with one commit.

    It is made in the folder `aside` and then moved, so that it is whole or absent; a batch at a time is in memory.
    Raises CannotWrite where the disk is full.
    """
    schema = pq.read_schema(parts[0])
    batches = pa.RecordBatchReader.from_batches(schema, _batches(parts))
    base = need("lancedb").connect(aside)
    try:
        base.create_table(place.stem, data=batches, schema=schema)
        if place.exists():
            shutil.rmtree(place)
        os.replace(aside / place.name, place)
    except (OSError, RuntimeError, ValueError) as error:
        raise CannotWrite(f"cannot write {place}: {first_line(error)}; the same command goes on from here") from error


def _batches(parts: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    for part in parts:
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches(_BATCH)


def _inside(path: Path) -> list[Path]:
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is not there")
    return sorted(each for each in path.rglob("*") if each.is_file())
