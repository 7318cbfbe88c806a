"""DuckDB file: a table or view with a column of arrays; opened to read only"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.core.bad_rows import SHOWN, BadRows
from workbench.core.columns import Columns, Wanted, only_one, roles
from workbench.core.errors import BadInput
from workbench.data.stores._arrow import dim_of, page_of, rebatch, stored
from workbench.data.stores._library import engine, need, versions_of
from workbench.data.stores._page import Page
from workbench.data.stores._store import Cursor, Store, StoreFacts, resumed, state_of, stored_as

__all__ = ["DuckStore"]


_CLOSED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}
"""A file may hold views that read other files or ask the network: they may not."""


class DuckStore(Store):
    """A table of a DuckDB file, in the order of its rows, streamed; rows without a vector are counted and not read.

    DuckDB lets nobody write to a file while another process reads it, and the other way round, so nothing can be
    added in mid-scroll; between two calls, the file's state tells. Ids are the rows' numbers where it has no `id`.
    """

    suffixes = (".duckdb",)

    def __init__(
        self, where: str, table: str = "", id: str = "", vector: str = "", text: str = "", limit: int = 0
    ) -> None:
        super().__init__("duckdb", where, limit)
        self._table, self._wanted = table, Wanted(id, vector, text)

    def facts(self) -> StoreFacts:
        """From the catalogue, a count, and the first vector."""
        with self._open() as base:
            table = self._found(base)
            schema = base.sql(f"SELECT * FROM {_quoted(table)} LIMIT 0").to_arrow_table().schema
            names = self._wanted.among(f"{self.name}, table {table}", roles(schema))
            vector = _quoted(names.vector)
            some = base.sql(f"SELECT {vector} FROM {_quoted(table)} WHERE {vector} IS NOT NULL LIMIT 1")
            dim = dim_of(some.to_arrow_table(), names.vector)
            if not dim:
                raise BadInput(f"{self.name}, table {table}, holds no vectors")
            ((rows, there),) = base.sql(f"SELECT count(*), count({vector}) FROM {_quoted(table)}").fetchall()
            missing = self._missing(base, table, names, rows - there)
            return StoreFacts(
                self.kind,
                f"{self.where}?table={table}",
                there,
                dim,
                lost=stored_as(stored(schema, names.vector)),
                unread=names.unread,
                text=names.text,
                versions=versions_of("duckdb"),
                snapshot=state_of(Path(self.where)),
                missing=missing,
            )

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        return resumed(self._from(after.row - 1 if after else 0, batch, facts.dim), after, self.name)

    def _from(self, first: int, batch: int, dim: int) -> Iterator[Page]:
        with self._open() as base:
            table = self._found(base)
            schema: pa.Schema = base.sql(f"SELECT * FROM {_quoted(table)} LIMIT 0").to_arrow_table().schema
            names = self._wanted.among(self.name, roles(schema))
            read = ", ".join(_quoted(name) for name in (names.id, names.vector, names.text, *names.labels) if name)
            rows = base.sql(
                f"SELECT {read} FROM {_quoted(table)} WHERE {_quoted(names.vector)} IS NOT NULL OFFSET {first}"
            )
            for part in rebatch(rows.to_arrow_reader(batch), batch):
                yield page_of(part, names, first, dim)
                first += len(part)

    def _missing(self, base: Any, table: str, names: Columns, count: int) -> BadRows:
        if not count:
            return BadRows()
        some = base.sql(
            f"SELECT {_quoted(names.id) if names.id else 'rowid'} FROM {_quoted(table)} "
            f"WHERE {_quoted(names.vector)} IS NULL LIMIT {SHOWN}"
        )
        return BadRows({"has no vector": count}, tuple(str(id) for (id,) in some.fetchall()))

    def _found(self, base: Any) -> str:
        tables = base.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'").fetchall()
        return only_one("table", self._table, [name for (name,) in tables], self.name)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        duckdb = need("duckdb")
        path = Path(self.where)
        if not path.is_file():
            raise BadInput(f"{path} is {'a folder' if path.is_dir() else 'not there'}; expected a DuckDB file")
        with engine(self.name, "cannot be opened"):
            base = duckdb.connect(str(path), read_only=True, config=_CLOSED)
        try:
            with engine(self.name):
                yield base
        finally:
            base.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
