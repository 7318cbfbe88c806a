"""Rows of parts that come in order, at the price of reading each file once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core.errors import BadInput
from workbench.data.stores._lance import LANCE
from workbench.jobs.bulk._lance import digest_of, read_rows, size_of, whole_input
from workbench.jobs.bulk._plan import Part, Shard, folder_of

_BATCH = 1024


class Unreadable(BadInput):
    """Rows of a file that is the same as when the run began, and is damaged: to try again would not help."""


class PartReader:
    """Some columns of a run's input. It stays where the last part ended, so that what lies before is not read again.

    A row group is always read from its beginning in batches of one size, so that which rows of a damaged group can
    be read does not depend on who asks.
    """

    def __init__(self, source: Path, shards: Sequence[Shard], columns: Sequence[str]) -> None:
        self._folder, self._columns = folder_of(source), list(columns)
        self._shards: Mapping[str, Shard] = {shard.name: shard for shard in shards}
        self._name, self._group, self._at = "", 0, 0
        self._batches: Iterator[tuple[int, pa.RecordBatch]] = iter(())
        self._held: pa.RecordBatch | None = None

    def read(self, part: Part) -> pa.Table:
        """The rows of a part. Raises OSError for a file that is gone or was changed, Unreadable for a damaged one."""
        try:
            with whole_input(part.shard):
                return self._read(part)
        except BadInput as error:
            self._name = ""
            if isinstance(error.__cause__, MemoryError):  # no fault of the file
                raise error.__cause__ from error
            path, shard = self._folder / part.shard, self._shards[part.shard]
            if path.exists() and digest_of(path) == shard.sha256:
                raise Unreadable(str(error)) from error
            raise OSError(f"{path} is gone or was changed since the run began") from error

    def _read(self, part: Part) -> pa.Table:
        path = self._folder / part.shard
        if size_of(path) != self._shards[part.shard].size:
            self._name = ""
            raise OSError("it has another size")
        if path.suffix == LANCE:
            return read_rows(path, part.start, part.rows, self._columns)
        self._go_to(path, part)
        found: list[pa.RecordBatch] = []
        missing = part.rows
        while missing:
            batch = self._next()
            if skipped := min(len(batch), part.start - self._at) if self._at < part.start else 0:
                batch = batch.slice(skipped)
                self._at += skipped
            taken = batch.slice(0, missing)
            found.append(taken)
            missing -= len(taken)
            self._at += len(taken)
            rest = batch.slice(len(taken))
            self._held = rest if len(rest) else None
        return pa.Table.from_batches(found)

    def _next(self) -> pa.RecordBatch:
        if self._held is not None:
            batch, self._held = self._held, None
            return batch
        try:
            self._group, batch = next(self._batches)
        except StopIteration:
            raise OSError("it has fewer rows than its footer says") from None
        return batch

    def _go_to(self, path: Path, part: Part) -> None:
        """Begin at the row group of the part's first row, unless the reading stands in it already and not behind."""
        if part.shard == self._name and self._at == part.start:
            return
        with pq.ParquetFile(path) as file:
            first = group = 0
            while first + (rows := file.metadata.row_group(group).num_rows) <= part.start:
                first, group = first + rows, group + 1
        if part.shard == self._name and self._group == group and self._at <= part.start:
            return
        self._name, self._group, self._at, self._held = part.shard, group, first, None
        self._batches = _batches(path, group, self._columns)


def _batches(path: Path, group: int, columns: list[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for each in range(group, file.num_row_groups):
            for batch in file.iter_batches(_BATCH, [each], columns):
                yield each, batch
