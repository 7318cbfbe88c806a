"""workbench membership: is this text in the store, is it in the inverter's training set?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import (
    Column,
    Device,
    Embedder,
    Html,
    Json,
    OnBadRows,
    Quiet,
    Seed,
    begin,
    embedder_of,
    finish,
    load_texts,
    load_vectors,
    write_page,
)
from workbench.core.errors import BadInput


def membership(
    store: Annotated[
        Path | None, typer.Argument(help="Parquet of vectors, as `workbench embed` writes it; its texts are not read.")
    ] = None,
    members: Annotated[str, typer.Option(help="Texts that are in the store: .txt, .jsonl, .csv, .tsv, .parquet.")] = "",
    others: Annotated[str, typer.Option(help="Texts of the same source that are not.")] = "",
    inverter: Annotated[
        str, typer.Option(help="Instead: a checkpoint whose training texts are sought; auto: the embedder's own.")
    ] = "",
    texts: Annotated[
        int, typer.Option(help="With --inverter: texts of its training, and as many others.", min=200)
    ] = 1000,
    embedder: Embedder = "",
    column: Column = "",
    html: Html = None,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure how well texts of a store, or of an inverter's training set, are told from others of the same source.

    The attacker can embed texts. Nearest cosines are calibrated by texts that are known to be outside; thresholds come
    from other texts than those that are judged. A blind attack, which sees the texts alone, says whether the two lists
    differ anyway.

    Examples: workbench membership vectors.parquet --members in.txt --others out.txt --embedder minilm
              workbench membership --inverter minilm-inverter
    """
    begin(quiet, device)
    if bool(inverter) == (store is not None):
        raise BadInput("give either a Parquet file of vectors with --members and --others, or --inverter")
    if (members or others) if inverter else not (members and others):
        raise BadInput("--members FILE and --others FILE go with a Parquet file of vectors, both of them")
    from workbench.jobs.find_members import members_of_store, members_of_training

    if store is None:
        named = "" if inverter == "auto" else inverter
        result = members_of_training(named, embedder_of(None, embedder), texts, seed=seed, device=device)
    else:
        held = load_vectors(store, on_bad_rows, quiet)
        inside, outside = (load_texts(source, column, on_bad_rows, quiet).texts for source in (members, others))
        result = members_of_store(held, inside, outside, embedder_of(held, embedder), device=device)
    if html:
        write_page(html, "Membership", result, quiet)
    finish(result, json, quiet)
