"""workbench payload: what a store of vectors says without any inversion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli._options import Device, Html, Json, Quiet, Seed, begin, finish, write_page

if TYPE_CHECKING:
    from workbench.core.embedding_set import EmbeddingSet


def payload(
    vectors: Annotated[
        str, typer.Argument(help="Parquet of vectors with its other columns, or a store, as `workbench pull` takes it.")
    ],
    against: Annotated[
        str | None, typer.Option(help="Another dump: are the same rows in it, by id or by vector?")
    ] = None,
    near: Annotated[float, typer.Option(help="Cosine of near duplicates.")] = 0.98,
    html: Html = None,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Tell what a store gives away before anything is inverted.

    Ids (moments inside of them, hashes of texts, gaps), labels (free text, personal data, times, paths), rows with
    equal vectors, and with --against the rows that another dump has too, with how often such a link is false. No value
    is shown: letters and digits are masked. All columns are read; those that cannot be (further vectors, bytes) are
    named.

    Examples: workbench payload vectors.parquet
              workbench payload vectors.parquet --against last-year.parquet
              workbench payload "chroma:FOLDER?collection=docs"
    """
    begin(quiet, device)
    from workbench.audit.payload import payload as tell

    result = tell(_read(vectors), _read(against) if against else None, near, seed=seed)
    if html:
        write_page(html, "Payload", result, quiet)
    finish(result, json, quiet)


def _read(where: str) -> EmbeddingSet:
    """A Parquet or Arrow file with a column `vector`, all others as labels; else what a store's reader gives."""
    from workbench.core.embedding_set import EmbeddingSet
    from workbench.data.stores import open_store

    return EmbeddingSet.load(where) if _has_vectors(Path(where)) else open_store(where).read()


def _has_vectors(path: Path) -> bool:
    import pyarrow.parquet as pq

    from workbench.core.embedding_set import whole_parquet

    if path.suffix == ".arrow":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return False
    with whole_parquet(path):
        return "vector" in pq.read_schema(path).names
