"""workbench embed: texts to vectors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Embedder, Json, Quiet, Seed, begin, say, write_json_to


def embed(
    source: Annotated[
        str, typer.Argument(help="A .txt, .jsonl, .csv, .tsv or .parquet of texts, hf:NAME, or a corpus' name.")
    ],
    out: Annotated[Path, typer.Option(help="Parquet file to write: id, vector, text, and provenance.")],
    embedder: Embedder = "minilm",
    column: Annotated[str, typer.Option(help="Field or column that holds the text.")] = "text",
    split: Annotated[str, typer.Option(help="Of a named corpus: train, validation or test.")] = "test",
    limit: Annotated[int, typer.Option(help="At most so many texts; 0 means all.", min=0)] = 0,
    without_texts: Annotated[bool, typer.Option("--without-texts", help="Leave the texts out of the file.")] = False,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Embed texts into a Parquet file with provenance.

    Example: workbench embed lines.txt --out vectors.parquet
    """
    begin(quiet, device)
    from workbench.data import corpora
    from workbench.embed import load_embedder

    named = source in corpora.names()
    texts = corpora.load(source, split, limit or None) if named else corpora.read(source, column)
    texts = texts.head(limit) if limit else texts
    model = load_embedder(embedder, device)
    began = time.monotonic()
    vectors = model.embed_set(texts.ids, texts.texts, seed)
    seconds = time.monotonic() - began
    (vectors.without_texts() if without_texts else vectors).save(out)
    say(f"{len(vectors):,} texts x {vectors.dim} dimensions, {len(vectors) / seconds:,.0f} texts/s -> {out}", quiet)
    summary = {
        "texts": len(vectors),
        "dim": vectors.dim,
        "seconds": seconds,
        "embedder": model.spec.name,
        "out": str(out),
    }
    write_json_to(json, summary)
