"""workbench fingerprint: which embedder made these vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Html, Json, OnBadRows, Quiet, Seed, begin, finish, load_vectors, write_page


def fingerprint(
    vectors: Annotated[Path, typer.Argument(help="Parquet of vectors, as `workbench embed` writes it.")],
    among: Annotated[
        list[str] | None,
        typer.Option(help="Embedder to think of; say it again for another. Default: minilm, mpnet, bge-small, potion."),
    ] = None,
    texts: Annotated[int, typer.Option(help="Public texts that each of them embeds, once.", min=300)] = 900,
    html: Html = None,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Tell which embedder made a store of vectors, from the vectors alone.

    Each embedder fills its space in its own way; a vector of another one lies far out by that measure. Vectors that
    were cut (Matryoshka) or quantised (int8, binary) are told too. What the file says of itself is not read.

    Examples: workbench fingerprint vectors.parquet
              workbench fingerprint vectors.parquet --among minilm --among llm:smollm2?method=echo
    """
    begin(quiet, device)
    from workbench.jobs.fingerprint_store import AMONG, fingerprint_store

    result = fingerprint_store(load_vectors(vectors, on_bad_rows, quiet), among or AMONG, texts, seed, device)
    if html:
        write_page(html, "Fingerprint", result, quiet)
    finish(result, json, quiet)
