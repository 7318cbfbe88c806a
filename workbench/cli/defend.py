"""workbench defend: what attackers still read from defended vectors, and a defended copy of a file."""

from __future__ import annotations

from pathlib import Path
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
    load_vectors,
    say,
    write_page,
)
from workbench.core.errors import BadInput


def defend(
    vectors: Annotated[Path, typer.Argument(help="Parquet of vectors, as `workbench embed` writes it.")],
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Defence to judge; say it again for another: noise:0.5, noise:0.5?release=stored, metric-dp:300, "
            "int8, binary, product-quantisation:8, truncation:0.25, pca:0.25, rotation, permutation, leace:LABEL.",
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="Label column of the file that attackers try to read.")] = "",
    groups: Annotated[str, typer.Option(help="Label column that says which rows must not be parted.")] = "",
    apply: Annotated[
        str, typer.Option(help="Judge nothing, but apply this defence; keys as key=@FILE (any bytes, kept secret).")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Parquet file to write the defended copy to.")] = None,
    without_texts: Annotated[bool, typer.Option("--without-texts", help="Leave texts out of the copy.")] = False,
    embedder: Annotated[str, typer.Option(help="Embedder for the measures of utility; default: the file's own.")] = "",
    texts: Annotated[int, typer.Option(help="Public questions and pairs that measure utility; 0: none.", min=0)] = 300,
    seeds: Annotated[int, typer.Option(help="How often keys and noise are drawn.", min=1)] = 3,
    limit: Annotated[
        int, typer.Option(help="Most training rows, a quarter as many to test; 0: all of the file.", min=0)
    ] = 0,
    html: Html = None,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Judge defences of stored vectors by what an adaptive attacker reads, or apply one.

    Each defence meets a probe that never saw it, probes that are trained anew, Procrustes with known pairs, and the
    mean of many releases; beside that stands what search and paraphrases lose. The first alone proves nothing.

    --apply draws its noise from the system, whatever --seed says: noise whose seed is known can be taken off.

    Examples: workbench defend vectors.parquet --with rotation --with noise:0.5 --label topic
              workbench defend vectors.parquet --apply noise:0.1 --out defended.parquet
    """
    begin(quiet, device)

    if bool(apply) == bool(with_):
        raise BadInput("say --with DEFENCE (once for each) to judge, or --apply DEFENCE --out FILE to write a copy")
    if bool(apply) != (out is not None):
        raise BadInput("--apply and --out belong together: --apply noise:0.1 --out defended.parquet")
    store = load_vectors(vectors, on_bad_rows, quiet)
    if apply and out is not None:
        from dataclasses import replace

        from workbench.defend import defend_store

        copy = defend_store(store, apply)
        (replace(copy, texts=None) if without_texts else copy).save(out)
        say(f"{len(copy):,} vectors of {copy.dim} dimensions: {out}", quiet)
        return
    from workbench.audit.defences import judge_store

    if not label:
        raise BadInput(f"--label is missing; {vectors} has: {', '.join(store.labels) or 'no label columns'}")
    result = judge_store(
        store,
        label,
        with_ or (),
        groups=groups,
        embedder=embedder,
        texts=texts,
        limit=limit,
        seeds=range(seed, seed + seeds),
        device=device,
    )
    if html:
        write_page(html, "Defences", result, quiet)
    finish(result, json, quiet)
