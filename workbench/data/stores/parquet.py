"""Parquet file, our own or any with a column of vectors; read in the order of its rows"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core.columns import Wanted, roles
from workbench.core.errors import BadInput
from workbench.core.tables import whole_parquet
from workbench.data.stores._arrow import dim_of, origin_of, page_of, rebatch, stored
from workbench.data.stores._page import Page
from workbench.data.stores._store import Cursor, Store, StoreFacts, resumed, state_of, stored_as

__all__ = ["ParquetStore"]


class ParquetStore(Store):
    """A Parquet file. Ids are the rows' numbers where it has no `id`; what a file of ours knows of itself is kept."""

    suffixes = (".parquet", ".pq")

    def __init__(self, where: str, id: str = "", vector: str = "", text: str = "", limit: int = 0) -> None:
        super().__init__("parquet", where, limit)
        self._wanted = Wanted(id, vector, text)

    def facts(self) -> StoreFacts:
        """From the file's footer and its first rows."""
        with whole_parquet(self.where), self._open() as file:
            schema = file.schema_arrow
            names = self._wanted.among(self.name, roles(schema))
            dim = 0
            for group in file.iter_batches(100, columns=[names.vector]):
                if dim := dim_of(pa.Table.from_batches([group]), names.vector):
                    break
            if not dim:
                raise BadInput(f"{self.name} holds no vectors")
            return StoreFacts(
                self.kind,
                self.where,
                file.metadata.num_rows,
                dim,
                lost=stored_as(stored(schema, names.vector)),
                unread=names.unread,
                text=names.text,
                snapshot=state_of(Path(self.where)),
                origin=origin_of(schema),
            )

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        return resumed(self._from(after.row - 1 if after else 0, batch, facts.dim), after, self.name)

    def _from(self, start: int, batch: int, dim: int) -> Iterator[Page]:
        with whole_parquet(self.where), self._open() as file:
            names = self._wanted.among(self.name, roles(file.schema_arrow))
            read = [name for name in (names.id, names.vector, names.text, *names.labels) if name]
            groups, first = [], 0
            for group in range(file.num_row_groups):  # whole row groups before the start are never read
                rows = file.metadata.row_group(group).num_rows
                if groups or first + rows > start:
                    groups.append(group)
                else:
                    first += rows
            skip = start - first
            # a group at a time: asked for all at once, Arrow reads ahead and memory grows with the file
            batches = (each for group in groups for each in file.iter_batches(batch, [group], read))
            for table in rebatch(batches, batch):
                kept = table.slice(skip)
                first, skip = first + min(skip, len(table)), max(0, skip - len(table))
                if len(kept):
                    yield page_of(kept, names, first, dim)
                first += len(kept)

    def _open(self) -> pq.ParquetFile:
        path = Path(self.where)
        if not path.is_file():
            raise BadInput(f"{path} is {'a folder' if path.is_dir() else 'not there'}; expected a Parquet file")
        return pq.ParquetFile(path)
