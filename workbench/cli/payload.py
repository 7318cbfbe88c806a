"""workbench payload: what a store of vectors says without any inversion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Html, Json, Quiet, Seed, begin, finish, finite, write_page


def payload(
    vectors: Annotated[Path, typer.Argument(help="Parquet of vectors, with what lies beside them.")],
    against: Annotated[
        Path | None, typer.Option(help="Another dump: are the same rows in it, by id or by vector?")
    ] = None,
    near: Annotated[float, typer.Option(callback=finite, help="Cosine of near duplicates.")] = 0.98,
    html: Html = None,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Tell what a store gives away before anything is inverted.

    Ids (moments inside of them, hashes of texts, gaps), labels (free text, personal data, times, paths), rows with
    equal vectors, and with --against the rows that another dump has too, with how often such a link is false. No value
    is shown: letters and digits are masked.

    Examples: workbench payload vectors.parquet
              workbench payload vectors.parquet --against last-year.parquet
    """
    begin(quiet, device)
    from workbench.audit.payload import payload as tell
    from workbench.core.embedding_set import EmbeddingSet

    result = tell(EmbeddingSet.load(vectors), EmbeddingSet.load(against) if against else None, near, seed=seed)
    if html:
        write_page(html, "Payload", result, quiet)
    finish(result, json, quiet)
