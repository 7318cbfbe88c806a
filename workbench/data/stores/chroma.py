"""Chroma collection, in a folder or on a server (`chroma run`); token from CHROMA_TOKEN"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workbench.core.columns import only_one
from workbench.core.errors import BadInput
from workbench.data.stores._chroma_sources import FolderSource, ServerSource, Source
from workbench.data.stores._page import Page, columns, require_key
from workbench.data.stores._retry import Patience
from workbench.data.stores._store import Cursor, Store, StoreFacts

__all__ = ["ChromaStore"]

_OVERLAP = 8
"""Rows that a page shares with the one before. Chroma pages by place, so a row that is deleted meanwhile moves all
behind it one place to the front."""


class ChromaStore(Store):
    """A collection: its documents are the texts, its metadata the labels. Ids are Chroma's own.

    Chroma gives rows in the order in which they were added, by place. Each page begins a few rows before the end of
    the last one; if the row that was read last has moved, the place is sought again, so deletions lose nothing either.
    """

    def __init__(
        self,
        where: str,
        collection: str = "",
        text: str = "",
        tenant: str = "default_tenant",
        database: str = "default_database",
        limit: int = 0,
        retries: int = 6,
    ) -> None:
        super().__init__("chroma", where, limit)
        self._collection, self._text = collection, text
        self._place = (tenant, database)
        self._patience = Patience(self.name, retries)

    def facts(self) -> StoreFacts:
        """From the collection's configuration and its first row."""
        source = self._open()
        count = self._patience.first(source.count)
        first = self._patience.first(lambda: source.get(0, 1)) if count else None
        if first is None or first["embeddings"] is None or not len(first["embeddings"]):
            raise BadInput(f"{self.name}, collection {source.collection}, holds no vectors")
        return StoreFacts(
            self.kind,
            f"{self.where}?collection={source.collection}",
            count,
            len(first["embeddings"][0]),
            metric=source.metric,
            text=self._text or "document",
            versions=source.versions,
        )

    def _open(self) -> Source:
        kind = ServerSource if self.where.startswith(("http://", "https://")) else FolderSource
        source = self._patience.first(lambda: kind(self.where, *self._place))
        name = only_one("collection", self._collection, self._patience.first(source.collections), self.name)
        self._patience.first(lambda: source.open(name))
        return source

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        source = self._open()
        known: Sequence[str] = (after.id,) if after else ()
        place = after.row if after else 0
        while True:
            start = max(0, place - len(known))
            rows = self._patience.again(lambda start=start, known=known: source.get(start, batch + len(known)))
            fresh = _behind(rows["ids"], known)
            if fresh is None:
                place = self._sought(source, known, batch)
                continue
            if fresh == len(rows["ids"]):
                return
            if self._text and not known:
                require_key(rows["metadatas"] or [], self._text, self.name)
            end = min(len(rows["ids"]), fresh + batch)
            yield self._page(rows, fresh, end, facts.dim)
            place = start + end
            known = rows["ids"][max(0, end - _OVERLAP) : end]

    def _sought(self, source: Source, known: Sequence[str], batch: int) -> int:
        """The number of rows up to the last known one, wherever it is now. Raises BadInput if none is left."""
        place = 0
        while ids := self._patience.again(lambda place=place: source.get(place, batch, ids_only=True))["ids"]:
            for id in reversed(known):
                if id in ids:
                    return place + ids.index(id) + 1
            place += len(ids)
        raise BadInput(f"{self.name} has lost the row {known[-1]!r}, where the reading stood; begin again")

    def _page(self, rows: dict[str, Any], start: int, end: int, dim: int) -> Page:
        ids = [str(id) for id in rows["ids"][start:end]]
        metadata = (rows["metadatas"] or [None] * len(rows["ids"]))[start:end]
        texts = (rows["documents"] or [None] * len(rows["ids"]))[start:end]
        if self._text:
            texts = [(row or {}).get(self._text) for row in metadata]
            metadata = [{key: value for key, value in (row or {}).items() if key != self._text} for row in metadata]
        return Page.of(ids, rows["embeddings"][start:end], dim, texts, columns(metadata))


def _behind(ids: Sequence[str], known: Sequence[str]) -> int | None:
    """Where the rows behind the last known one begin; None if that one is not among them."""
    if not known:
        return 0
    for id in reversed(known):
        if id in ids:
            return ids.index(id) + 1
    return None
