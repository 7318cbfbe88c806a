"""Stores: vectors where they lie. One file each; `open_store` opens any of them by one line of text."""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from workbench.core.errors import BadInput
from workbench.core.lines import Line, typed_options
from workbench.core.registry import Registry
from workbench.data.stores._secrets import refuse_secrets

if TYPE_CHECKING:
    from workbench.data.stores._store import Store

__all__ = ["STORES", "open_store"]

STORES = Registry("store", "workbench.data.stores")


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
