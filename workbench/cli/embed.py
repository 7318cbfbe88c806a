"""workbench embed: texts to vectors, and embedders side by side."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import (
    DONE,
    INCONCLUSIVE,
    Bulk,
    Device,
    Embedder,
    Json,
    Lance,
    OnBadRows,
    PartRows,
    Quiet,
    Ray,
    Seed,
    Workers,
    begin,
    finish,
    load_texts,
    require_places,
    say,
    write_json_to,
)
from workbench.core.errors import BadInput

_TEXTS = 500


def embed(
    source: Annotated[
        str, typer.Argument(help="A .txt, .jsonl, .csv, .tsv or .parquet of texts, hf:NAME, or a corpus' name.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Parquet file to write: id, vector, text, and provenance. With --compare: a JSON file."),
    ] = None,
    embedder: Embedder = "minilm",
    column: Annotated[
        str,
        typer.Option("--text", "--column", help="Field or column that holds the text; default: found by its name."),
    ] = "",
    id: Annotated[
        str, typer.Option("--id", help="Field or column that holds the id; default: found by its name, or row numbers.")
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(help="Field or column to keep as a label, once for each; default: all others; none: ''."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of a text file, such as cp1252; default: found by its bytes.")] = "",
    split: Annotated[str, typer.Option(help="Of a named corpus: train, validation or test.")] = "test",
    limit: Annotated[
        int, typer.Option(help=f"At most so many texts; 0 means all. With --compare: default {_TEXTS}.", min=0)
    ] = 0,
    without_texts: Annotated[bool, typer.Option("--without-texts", help="Leave the texts out of the file.")] = False,
    window: Annotated[
        str,
        typer.Option(
            metavar="TOKENS",
            help="Read long texts whole: the vector is the mean of windows of so many tokens (`max`: as "
            "many as the embedder reads).",
        ),
    ] = "",
    compare: Annotated[
        list[str] | None,
        typer.Option(help="Embed nothing, but measure this embedder beside others; give it once for each, or `all`."),
    ] = None,
    workers: Workers = 0,
    ray: Ray = "",
    part_rows: PartRows = 0,
    lance: Lance = False,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> int:
    """Embed texts into a Parquet file with provenance, or compare embedders.

    A run that was stopped goes on when the same command is given again. --compare measures throughput, memory,
     dimension, isotropy, retrieval (SQuAD) and paraphrases (Tatoeba); with --out it saves after each embedder.

    In bulk (--workers, --ray, --part-rows, --lance) Parquet or a .lance folder goes in, and a folder of Parquet comes
    out, part by part.

    Examples: workbench embed lines.txt --out vectors.parquet
              workbench embed --compare potion --compare minilm --out comparison.json
              workbench embed texts.parquet --out vectors --workers 2
    """
    begin(quiet, device)
    if bulk := Bulk(workers, ray, part_rows, lance):
        bulk.refuse(limit=limit, compare=compare, split=split != "test", encoding=encoding, window=window)
        recipe = {"embedder": embedder, "without_texts": without_texts, "seed": seed}
        if source:
            from workbench.jobs.bulk import columns_of

            names = columns_of(Path(source), column, id, label)
            kept = ", ".join(names.get("labels", ())) or "none"
            say(f"texts from {names['column']!r}, ids from {names.get('id', 'id')!r}, labels: {kept}", quiet)
            recipe |= names
        return bulk.run("embed", source, out, recipe, device, json, quiet, on_bad_rows)
    if compare:
        if source:
            raise BadInput(f"--compare brings its own texts; leave {source} out")
        return _compare(compare, limit or _TEXTS, seed, device, out, json, quiet)
    if not source or out is None:
        raise BadInput("give texts and --out FILE, or --compare EMBEDDER")
    require_places(out, json)
    from workbench.data import corpora
    from workbench.embed import load_embedder
    from workbench.embed._vector_cache import resumable_set
    from workbench.embed._windows import WindowedEmbedder

    named = source in corpora.names()
    texts = (
        corpora.load(source, split, limit or None)
        if named
        else load_texts(source, column, on_bad_rows, quiet, id=id, labels=label, encoding=encoding)
    )
    texts = texts.head(limit) if limit else texts
    model = load_embedder(embedder, device)
    if window:
        model = WindowedEmbedder(model, window_size(window))
    if cost := model.estimate(texts.texts):
        say(cost, quiet)
    began, asked = time.monotonic(), model.queries
    parts = out.with_name(f".{out.name}.parts")
    vectors = resumable_set(model, texts.ids, texts.texts, parts, seed)
    seconds, asked = time.monotonic() - began, model.queries - asked
    made = replace(vectors.provenance, notes=(*vectors.provenance.notes, *texts.skipped.notes()))
    vectors = replace(vectors, labels=texts.label_arrays(), provenance=made)
    (replace(vectors, texts=None) if without_texts else vectors).save(out)
    shutil.rmtree(parts, ignore_errors=True)
    say(f"{len(vectors):,} texts x {vectors.dim} dimensions, {asked / seconds:,.0f} texts/s -> {out}", quiet)
    tally = model.tally(texts.texts)
    summary = {
        "texts": len(vectors),
        "dim": vectors.dim,
        "labels": list(vectors.labels),
        "skipped": len(texts.skipped),
        "seconds": seconds,
        "embedder": model.spec.name,
        "out": str(out),
        "window": window,
        "texts_cut": tally.cut_texts,
        "tokens_cut": tally.cut_tokens,
        "texts_unknown": tally.unknown_texts,
        "notes": list(vectors.provenance.notes),
    }
    write_json_to(json, summary)
    return DONE


def window_size(window: str) -> int:
    """Tokens of a window; 0 for `max`."""
    if window != "max" and not (window.isdecimal() and int(window) > 0):
        raise BadInput(f"--window is {window!r}; expected a number of tokens, or max")
    return 0 if window == "max" else int(window)


def _compare(compare: list[str], texts: int, seed: int, device: str, out: Path | None, json: str, quiet: bool) -> int:
    from workbench.jobs.compare_embedders import all_embedders, compare_embedders

    names = list(dict.fromkeys(each for name in compare for each in (all_embedders() if name == "all" else (name,))))
    result = compare_embedders(names, texts, seed, device, out)
    finish(result, json, quiet)
    if not result.rows:
        raise BadInput("; ".join(f"{name}: {why}" for name, why in result.failures))
    return INCONCLUSIVE if result.failures else DONE
