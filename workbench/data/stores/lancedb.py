"""LanceDB table in a folder, or a Lance dataset; a reading keeps to the version that it began with"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.core.columns import Wanted, only_one, roles
from workbench.core.errors import BadInput
from workbench.data.stores._arrow import dim_of, page_of, rebatch, stored
from workbench.data.stores._lance import LANCE, open_dataset
from workbench.data.stores._library import engine, need, versions_of
from workbench.data.stores._page import Page
from workbench.data.stores._secrets import said
from workbench.data.stores._store import Cursor, Store, StoreFacts, resumed, stored_as

__all__ = ["LanceStore"]


class LanceStore(Store):
    """A table of a LanceDB folder, or the folder of one table, which ends in .lance. Ids are the rows' numbers where it
    has no `id`.

    A reading opens one version of the table, and goes on with the same one after an interruption, so that rows that
    are added, changed or deleted meanwhile are none of its affair.
    """

    suffixes = (".lancedb", LANCE)

    def __init__(
        self, where: str, table: str = "", id: str = "", vector: str = "", text: str = "", limit: int = 0
    ) -> None:
        super().__init__("lancedb", where, limit)
        self._table, self._wanted = table, Wanted(id, vector, text)

    def facts(self) -> StoreFacts:
        """From the table's newest version and its first rows."""
        with engine(self.name):
            return self._facts(self._open())

    def _facts(self, table: Any) -> StoreFacts:
        schema = table.schema
        names = self._wanted.among(f"{self.name}, table {table.name}", roles(schema))
        dim = dim_of(table.search().select([names.vector]).limit(100).to_arrow(), names.vector)
        if not dim:
            raise BadInput(f"{self.name}, table {table.name}, holds no vectors")
        return StoreFacts(
            self.kind,
            f"{self.where}?table={table.name}",
            table.count_rows(),
            dim,
            metric=_metric(table, names.vector),
            lost=stored_as(stored(schema, names.vector)),
            unread=names.unread,
            text=names.text,
            versions=versions_of("lancedb"),
            snapshot=str(table.version),
        )

    def can_go_on(self, facts: StoreFacts, after: Cursor) -> bool:
        """Always: older versions stay in the folder until somebody clears them away."""
        return True

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        return resumed(self._from(facts, batch, after), after, self.name)

    def _from(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        table, version = self._open(), int(after.snapshot if after else facts.snapshot)
        try:
            table.checkout(version)
        except (ValueError, RuntimeError) as error:
            raise BadInput(f"{self.name} has no version {version} any more; begin again: {said(error)}") from None
        names = self._wanted.among(self.name, roles(table.schema))
        read = [name for name in (names.id, names.vector, names.text, *names.labels) if name]
        first = after.row - 1 if after else 0
        with engine(self.name):
            for part in rebatch(table.search().select(read).offset(first).to_batches(batch), batch):
                yield page_of(_without_extras(part, read), names, first, facts.dim)
                first += len(part)

    def _open(self) -> Any:
        if not Path(self.where).is_dir():
            raise BadInput(f"{self.where} is not there; expected a folder of LanceDB")
        if Path(self.where).suffix == LANCE:
            return open_dataset(Path(self.where))
        base = need("lancedb").connect(self.where)
        try:
            return base.open_table(only_one("table", self._table, _tables(base), self.name))
        except (ValueError, RuntimeError, OSError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"{self.name} cannot be opened: {said(error)}") from None


def _tables(base: Any) -> list[str]:
    names: list[str] = []
    token = None
    while True:
        answer = base.list_tables(page_token=token, limit=100)
        names += answer.tables
        token = answer.page_token
        if not token:
            return names


def _without_extras(table: pa.Table, names: list[str]) -> pa.Table:
    return table.select(names)


def _metric(table: Any, vector: str) -> str:
    for index in table.list_indices():
        if vector in index.columns:
            return str(getattr(table.index_stats(index.name), "distance_type", "") or "")
    return ""
