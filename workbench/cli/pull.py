"""workbench pull: vectors out of a store, into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Json, OnBadRows, Quiet, Seed, begin, policy_of, say, write_json_to


def pull(
    store: Annotated[
        str,
        typer.Argument(
            help="FILE.parquet, .npz, .faiss or .duckdb; lancedb:FOLDER?table=T; chroma: or qdrant:FOLDER or URL, "
            "?collection=C; pgvector:postgresql://HOST/DB?table=T. Also &id=, &vector=, &text=COLUMN."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Parquet file to write: id, vector, text, labels, and provenance.")],
    limit: Annotated[int, typer.Option(help="At most so many rows; 0 means all.", min=0)] = 0,
    batch: Annotated[int, typer.Option(help="Rows asked for at once, and held in memory.", min=1)] = 1000,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Copy the vectors of a store, with texts and metadata, into a Parquet file that every verb reads.

    A pull that was stopped goes on when the same command is given again; so does one whose server went away. What the
    store has lost of its vectors (norms, digits) is said and kept in the file. Passwords come from PGPASSWORD,
    CHROMA_TOKEN, QDRANT_API_KEY, or a file of NAME=value lines that WORKBENCH_CREDENTIALS names.

    Examples: workbench pull "chroma:http://localhost:8000?collection=docs" --out docs.parquet
              workbench pull "pgvector:postgresql://localhost/app?table=docs&text=body" --out docs.parquet
    """
    begin(quiet)
    from workbench.data.stores._pull import pull as pull_store

    done = pull_store(store, out, batch, limit, policy_of(on_bad_rows))
    facts = done.facts
    before = f", {done.resumed:,} of them from an earlier call" if done.resumed else ""
    metric = f", ranked by {facts.metric}" if facts.metric else ""
    say(f"{done.rows:,} vectors x {facts.dim} dimensions{metric}{before} -> {out}", quiet)
    for each in (*facts.lost, *done.skipped.notes()):
        say(f"note: {each}", quiet)
    if facts.unread:
        say(f"note: not read: {', '.join(facts.unread)}", quiet)
    summary = {
        "store": f"{facts.kind}:{facts.where}",
        "rows": done.rows,
        "dim": facts.dim,
        "metric": facts.metric,
        "normalised": done.normalised,
        "lost": list(facts.lost),
        "skipped": len(done.skipped),
        "unread": list(facts.unread),
        "resumed": done.resumed,
        "seconds": done.seconds,
        "versions": dict(facts.versions),
        "out": str(out),
    }
    write_json_to(json, summary)
