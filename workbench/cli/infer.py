"""workbench infer: what an insider with labels reads of the other rows of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Html, Json, OnBadRows, Quiet, Seed, begin, finish, load_vectors, write_page


def infer(
    vectors: Annotated[Path, typer.Argument(help="Parquet of vectors with label columns.")],
    label: Annotated[list[str], typer.Option(help="Column that the insider has of most rows; once for each.")],
    side: Annotated[
        list[str] | None,
        typer.Option(help="Column that is known of all rows; once for each. Default: all the others; none: ''."),
    ] = None,
    groups: Annotated[str, typer.Option(help="Column that says which rows belong together (a person).")] = "",
    html: Html = None,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Infer attributes of hidden texts from their vectors, by the labels that an insider has of other rows.

    Beside the accuracy stand the most frequent class and what the other columns tell without any vector: only what the
    vectors add to that is their leak. A curve says how many labels are enough.

    Examples: workbench infer vectors.parquet --label topic
              workbench infer vectors.parquet --label topic --side department --groups person
    """
    begin(quiet, device)
    from workbench.audit.attribute_inference import infer_attributes

    known = None if side is None else [name for name in side if name]
    result = infer_attributes(load_vectors(vectors, on_bad_rows, quiet), label, known, groups, seed=seed)
    if html:
        write_page(html, "Attribute inference", result, quiet)
    finish(result, json, quiet)
