"""Qdrant collection, in a folder or on a server; key from QDRANT_API_KEY; under cosine its norms are lost"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.bad_rows import SHOWN, BadRows
from workbench.core.columns import only_one
from workbench.core.errors import BadInput
from workbench.data.stores._library import engine, need, versions_of
from workbench.data.stores._page import Page, columns, require_key
from workbench.data.stores._qdrant_folder import plain_points
from workbench.data.stores._retry import Lost, Patience
from workbench.data.stores._secrets import said, scrub, secret
from workbench.data.stores._store import Cursor, Store, StoreFacts

__all__ = ["QdrantStore"]

_LOOKED_AT, _ENOUGH = 1000, 50
"""Vectors whose norms and numbers are looked at, and fewest that show how many numbers a dimension has."""


class QdrantStore(Store):
    """A collection, read by point id; the payload becomes labels, one of its keys the text.

    `vector` names one of several vectors of a point; points without it are left out, counted and named.
    """

    def __init__(
        self,
        where: str,
        collection: str = "",
        vector: str = "",
        text: str = "",
        limit: int = 0,
        retries: int = 6,
        timeout: int = 60,
    ) -> None:
        super().__init__("qdrant", where, limit)
        self._collection, self._vector, self._timeout = collection, vector, timeout
        self._text, self._asked = text or "text", bool(text)
        self._patience = Patience(self.name, retries)

    def facts(self) -> StoreFacts:
        """From the collection's configuration and an exact count."""
        with self._open() as client:
            name = self._found(client)
            described = self._patience.first(lambda: _ask(client.get_collection, self.name, name))
            config = self._parameters(name, described.config.params.vectors)
            missing = self._without_vector(client, name)
            count = self._patience.first(lambda: _ask(client.count, self.name, name, exact=True)).count - len(missing)
            if not count:
                raise BadInput(f"{self.name}, collection {name}, holds no vectors")
            metric = config.distance.value.lower()
            first = next(self._read(client, name, _LOOKED_AT, None, config.size), None)
            measured = _measured(first.vectors, count, metric == "cosine") if first else ()
            kept = config.datatype.value if config.datatype else "float32"
            # a server quantises as its collection says; a local folder writes that down and keeps what it was given
            local = not self.where.startswith(("http://", "https://"))
            quantised = (f"vectors are stored as {kept}: quantised",) if kept != "float32" and not local else ()
            return StoreFacts(
                self.kind,
                f"{self.where}?collection={name}" + (f"&vector={self._vector}" if self._vector else ""),
                count,
                config.size,
                metric=metric,
                lost=(*quantised, *measured),
                text=self._text,
                versions=versions_of("qdrant-client"),
                missing=missing,
                unread=self._unread(described.config.params),
            )

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        with self._open() as client:
            yield from self._read(client, self._found(client), batch, after.id if after else None, facts.dim)

    def _read(self, client: Any, name: str, batch: int, last: str | None, dim: int) -> Iterator[Page]:
        while True:
            # a scroll begins with the point that it is given, so the last one is asked for again and dropped
            records, _ = self._patience.again(
                lambda last=last: _ask(
                    client.scroll,
                    self.name,
                    name,
                    limit=batch + 1,
                    offset=None if last is None else _point(last),
                    with_payload=True,
                    with_vectors=[self._vector] if self._vector else True,
                )
            )
            records = [record for record in records if str(record.id) != last][:batch]
            if not records:
                return
            if last is None and self._asked:
                require_key([record.payload for record in records], self._text, self.name)
            last = str(records[-1].id)
            if page := self._page(records, dim):
                yield page

    def _page(self, records: list[Any], dim: int) -> Page | None:
        held = [(record, self._vector_of(record)) for record in records]
        held = [(record, vector) for record, vector in held if vector is not None]
        if not held:
            return None
        ids = [str(record.id) for record, _ in held]
        payloads = [record.payload or {} for record, _ in held]
        return Page.of(
            ids,
            [vector for _, vector in held],
            dim,
            [payload.get(self._text) for payload in payloads],
            columns([{key: value for key, value in payload.items() if key != self._text} for payload in payloads]),
        )

    def _vector_of(self, record: Any) -> Any:
        return (record.vector or {}).get(self._vector) if self._vector else record.vector

    def _without_vector(self, client: Any, name: str) -> BadRows:
        """Points that have no vector of the name that is read; an unnamed vector every point has."""
        if not self._vector:
            return BadRows()
        models = need("qdrant_client.models")
        without = models.Filter(must_not=[models.HasVectorCondition(has_vector=self._vector)])
        count = self._patience.first(
            lambda: _ask(client.count, self.name, name, count_filter=without, exact=True)
        ).count
        if not count:
            return BadRows()
        records, _ = self._patience.first(
            lambda: _ask(client.scroll, self.name, name, scroll_filter=without, limit=SHOWN, with_payload=False)
        )
        return BadRows({f"has no vector {self._vector!r}": count}, tuple(str(record.id) for record in records))

    def _parameters(self, collection: str, vectors: Any) -> Any:
        """Settings of the vector that is read."""
        where = f"{self.name}, collection {collection},"
        if isinstance(vectors, dict):
            if self._vector not in vectors:
                known = ", ".join(vectors) or "none that are dense"
                raise BadInput(f"{where} has no vector {self._vector!r}; name one with ?vector=NAME; it has: {known}")
            vectors = vectors[self._vector]
        elif self._vector:
            raise BadInput(f"{where} has one vector without a name; leave vector={self._vector} out")
        if vectors.multivector_config is not None:
            raise BadInput(f"{where} holds several vectors for each point; expected one")
        return vectors

    def _unread(self, parameters: Any) -> tuple[str, ...]:
        """Vectors of other names, which a reading of one of them leaves out."""
        dense = parameters.vectors if isinstance(parameters.vectors, dict) else {}
        names = [name for name in (*dense, *(parameters.sparse_vectors or {})) if name != self._vector]
        return tuple(f"{name} (further vectors)" for name in names)

    def _found(self, client: Any) -> str:
        answer = self._patience.first(lambda: _ask(client.get_collections, self.name))
        return only_one("collection", self._collection, [each.name for each in answer.collections], self.name)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        library = need("qdrant_client")
        if self.where.startswith(("http://", "https://")):
            client = library.QdrantClient(
                url=self.where,
                api_key=secret("QDRANT_API_KEY") or None,
                timeout=self._timeout,
                check_compatibility=False,
            )
        elif not (Path(self.where) / "meta.json").is_file():
            raise BadInput(f"{self.where} holds no Qdrant (no meta.json); expected its folder or http://HOST:PORT")
        else:
            with (
                engine(self.name, "cannot be opened"),
                plain_points(Path(self.where)),
            ):  # another process may have it open
                client = library.QdrantClient(path=self.where)
        try:
            yield client
        finally:
            client.close()


def _measured(vectors: np.ndarray, count: int, cosine: bool) -> tuple[str, ...]:
    """What the first vectors themselves show of their norms and of the steps of their numbers.

    A server normalises under cosine; a local folder does so for some ways of adding and editing points and not for
    others, so that one collection may hold both.
    """
    n = len(vectors)
    scope = f"all {n:,}" if n == count else f"the first {n:,} of {count:,}"
    unit = int(np.isclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3).sum())
    notes = []
    if cosine and unit == n:
        notes.append("norms are 1: Qdrant normalises under cosine, so those of the embedder are lost")
    elif 0 < unit < n:
        notes.append(f"norms are mixed: of {scope} vectors {unit:,} have norm 1 and {n - unit:,} another")
    distinct = int(np.median([len(np.unique(column)) for column in vectors.T[:64]]))
    if n >= _ENOUGH and distinct <= min(256, n // 2):
        notes.append(f"vectors are quantised: {scope} have {distinct} distinct numbers in a dimension (median)")
    return tuple(notes)


def _ask(call: Any, store: str, *arguments: Any, **options: Any) -> Any:
    """A call to the library, with its errors told apart: what may pass is Lost, what cannot get better is BadInput."""
    errors = need("qdrant_client.http.exceptions")
    try:
        return call(*arguments, **options)
    except errors.ResponseHandlingException as error:
        raise Lost(said(error.source if hasattr(error, "source") else error)) from None
    except errors.UnexpectedResponse as error:
        status = error.status_code or 0
        told = scrub(" ".join((error.content or b"").decode("utf-8", "replace").split())[:200])
        if status == 429 or status >= 500:
            raise Lost(f"status {status}: {told}") from None
        hint = "; the key is read from QDRANT_API_KEY" if status in (401, 403) else ""
        raise BadInput(f"{store} answers {status}: {told}{hint}") from None


def _point(id: str) -> int | str:
    """A point id: a number, or a UUID, which always has hyphens."""
    return int(id) if id.isdigit() else id
