"""workbench payload: what a store of vectors says without any inversion."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli._options import (
    Device,
    Html,
    Json,
    OnBadRows,
    Quiet,
    Seed,
    begin,
    finish,
    finite,
    load_vectors,
    write_page,
)


def payload(
    vectors: Annotated[
        str, typer.Argument(help="Parquet of vectors with its other columns, or a store, as `workbench pull` takes it.")
    ],
    against: Annotated[
        str | None, typer.Option(help="Another dump: are the same rows in it, by id or by vector?")
    ] = None,
    near: Annotated[float, typer.Option(callback=finite, help="Cosine of near duplicates.")] = 0.98,
    html: Html = None,
    on_bad_rows: OnBadRows = "",
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

    held = load_vectors(vectors, on_bad_rows, quiet)
    other = load_vectors(against, on_bad_rows, quiet) if against else None
    result = tell(held, other, near, seed=seed)
    if html:
        write_page(html, "Payload", result, quiet)
    finish(result, json, quiet)
