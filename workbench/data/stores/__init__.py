"""Stores: vectors where they lie. One file each; `open_store` opens any of them by one line of text."""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from workbench.core.bad_rows import BadRows, OnBadRows
from workbench.core.embedding_set import EmbeddingSet, read_set
from workbench.core.errors import BadInput
from workbench.core.lines import Line, typed_options
from workbench.core.registry import Registry
from workbench.core.tables import is_saved_dataset, read_table
from workbench.data.stores._secrets import refuse_secrets

if TYPE_CHECKING:
    from workbench.data.stores._store import Store

__all__ = ["STORES", "open_store", "read_vectors"]

STORES = Registry("store", "workbench.data.stores")
_TABLES = (".parquet", ".pq", ".arrow")


def open_store(line: str) -> Store:
    """The store that a line names: a registered kind, the place, and options as in a web address.

    `vectors.parquet`, `vectors.npz`, `index.faiss`, `file.duckdb`   a file, by its ending (or `parquet:FILE`, ...)
    `duckdb:FILE?table=docs&id=id&vector=embedding`
    `lancedb:FOLDER?table=docs`, or `docs.lance`, the folder of one table
    `chroma:FOLDER?collection=docs`, `chroma:http://localhost:8000?collection=docs`
    `qdrant:FOLDER?collection=docs`, `qdrant:http://localhost:6333?collection=docs`
    `pgvector:postgresql://localhost:5432/db?table=docs&vector=embedding`

    `id`, `vector` and `text` name columns (`text` a payload key), `limit` bounds the rows. A table or collection may
    stay out where there is only one. Passwords come from PGPASSWORD, CHROMA_TOKEN, QDRANT_API_KEY, or a file of
    NAME=value lines that WORKBENCH_CREDENTIALS names; a line that holds one is refused. Nothing is opened yet, except
    files. Raises UnknownName; BadInput for a place that is not there and for options that are not known.
    """
    refuse_secrets(line)
    parsed = Line.parse(line)
    if not parsed.where:
        whole = line.partition("?")[0]
        parsed = Line(_kind_of(whole), whole, parsed.options)
    member = STORES.load(parsed.kind)
    given = typed_options(member, parsed.options, f"{parsed.kind}:{parsed.where}", ("where",))
    for key, parameter in inspect.signature(member).parameters.items():
        if parameter.default is parameter.empty and key != "where" and key not in given:
            raise BadInput(f"{parsed.kind}:{parsed.where} states no {key}: add ?{key}=...")
    return member(parsed.where, **given)


def read_vectors(source: str, on_bad_rows: OnBadRows = "fail") -> tuple[EmbeddingSet, BadRows]:
    """All vectors of a Parquet or Arrow file, of a folder that `datasets` saved, or of a store that `open_store` opens,
    and the bad rows that were skipped. Raises BadInput for bad rows unless they are skipped, as for all that is not
    there."""
    path = PurePath(source)
    if is_saved_dataset(source) or path.suffix in _TABLES or (not path.suffix and ":" not in source):
        return read_set(read_table(source), source, on_bad_rows=on_bad_rows)
    store = open_store(source)
    store.on_bad_rows = on_bad_rows
    facts = store.facts()
    found = store.read()
    return found, facts.missing + store.cursor.skipped


@cache
def _endings() -> dict[str, str]:
    """File endings, and the kinds that claim them."""
    return {suffix: name for name in STORES.names() for suffix in STORES.load(name).suffixes}


def _kind_of(path: str) -> str:
    """The kind of a bare path, by its ending."""
    endings = _endings()
    if kind := endings.get(PurePath(path).suffix.lower()):
        return kind
    if path.rstrip(":") in STORES.names():
        raise BadInput(f"{path.rstrip(':')} needs a place: {path.rstrip(':')}:FILE, FOLDER or address")
    raise BadInput(f"{path!r} names no store; expected a file that ends in {', '.join(sorted(endings))}, or KIND:WHERE")
