"""PostgreSQL with pgvector: a table or view with a column of vectors; password from PGPASSWORD or ~/.pgpass"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.core.bad_rows import SHOWN, BadRows
from workbench.core.columns import Columns, Wanted
from workbench.core.errors import BadInput
from workbench.data.stores._library import versions_of
from workbench.data.stores._page import Page, column
from workbench.data.stores._postgres import Server, Table
from workbench.data.stores._retry import Patience
from workbench.data.stores._store import Cursor, Store, StoreFacts

__all__ = ["PgvectorStore"]


class PgvectorStore(Store):
    """A table whose `vector` column is a vector, halfvec, sparsevec, bit or an array of numbers.

    Rows are read in the order of their ids, a page a query, so no transaction is held open and a page begins behind
    the last id whatever was added meanwhile. Rows without a vector are counted and not read. The id, by default `id` or
    the primary key, must be unique. Nothing can be written through the connection.
    """

    def __init__(
        self,
        where: str,
        table: str = "",
        id: str = "",
        vector: str = "",
        text: str = "",
        limit: int = 0,
        retries: int = 6,
    ) -> None:
        super().__init__("pgvector", where, limit)
        if not where.startswith(("postgresql://", "postgres://")):
            raise BadInput(f"pgvector needs an address of the form postgresql://HOST:PORT/DATABASE, got {where}")
        self._table, self._wanted = table, Wanted(id, vector, text)
        self._patience = Patience(self.name, retries)

    def facts(self) -> StoreFacts:
        """From the catalogue, a count, and the first vector."""
        with Server(self.where, self._patience) as server:
            table, names = self._found(server)
            vector = table.vector(names.vector)
            first = server.ask("SELECT {v} FROM {t} WHERE {c} IS NOT NULL LIMIT 1", table, v=vector, c=names.vector)
            if not first:
                raise BadInput(f"{self.name}, table {table.name}, holds no vectors")
            ((rows, there, ids),) = server.ask(
                "SELECT count(*), count({c}), count({i}) FROM {t}", table, c=names.vector, i=names.id
            )
            if ids < rows:
                raise BadInput(f"{self.name}, table {table.name}: {rows - ids:,} rows have no {names.id}")
            if not table.is_unique(names.id):
                self._refuse_duplicates(server, table, names.id)
            missing = BadRows()
            if rows > there:
                query = f"SELECT {{i}}::text FROM {{t}} WHERE {{c}} IS NULL LIMIT {SHOWN}"
                some = server.ask(query, table, c=names.vector, i=names.id)
                missing = BadRows({"has no vector": rows - there}, tuple(id for (id,) in some))
            return StoreFacts(
                self.kind,
                f"{self.where}?table={table.name}&vector={names.vector}",
                there,
                first[0][0].dimensions(),
                metric=table.metric(names.vector),
                lost=table.lost(names.vector),
                unread=names.unread,
                text=names.text,
                versions={**versions_of("psycopg", "pgvector"), **server.versions()},
                missing=missing,
            )

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        with Server(self.where, self._patience) as server:
            table, names = self._found(server)
            plain = [name for name in (names.text, *names.labels) if name]
            last = after.id if after else None
            while True:
                rows = server.ask_again(
                    "SELECT {i}::text, {v}{others} FROM {t} AS source WHERE {c} IS NOT NULL"
                    + ("" if last is None else " AND {i} > %s")
                    + " ORDER BY source.{i} LIMIT %s",  # a bare name would mean the id as text
                    table,
                    (batch,) if last is None else (last, batch),
                    v=table.vector(names.vector),
                    c=names.vector,
                    i=names.id,
                    others=table.plain(plain),
                )
                if not rows:
                    return
                yield _page(rows, plain, names, facts.dim)
                last = rows[-1][0]

    def _found(self, server: Server) -> tuple[Table, Columns]:
        table = server.table(self._table, self.name)
        roles = table.roles(self._wanted.vector)
        names = self._wanted.among(f"{self.name}, table {table.name}", roles, ids=("id", *table.primary_key()))
        if not names.id:
            raise BadInput(
                f"{self.name}, table {table.name}, has neither a column id nor a primary key of one column; "
                "name one with ?id=COLUMN"
            )
        return table, names

    def _refuse_duplicates(self, server: Server, table: Table, id: str) -> None:
        twice = server.ask("SELECT {i}::text FROM {t} GROUP BY {i} HAVING count(*) > 1 LIMIT 1", table, i=id)
        if twice:
            raise BadInput(
                f"{self.name}, table {table.name}: {id} is {twice[0][0]!r} in more than one row; "
                "name a unique column with ?id=COLUMN"
            )


def _page(rows: list[Any], plain: list[str], names: Columns, dim: int) -> Page:
    ids = [row[0] for row in rows]
    others = {name: [row[2 + place] for row in rows] for place, name in enumerate(plain)}
    texts = others.pop(names.text) if names.text else None
    labels = {name: column(values) for name, values in others.items()}
    return Page.of(ids, [row[1].to_numpy() for row in rows], dim, texts, labels)
