"""workbench augment: a corpus, enlarged by a language model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import (
    Column,
    Device,
    Embedder,
    Json,
    OnBadRows,
    Quiet,
    Seed,
    begin,
    finish,
    finite,
    load_texts,
    say,
)

_KINDS = ("paraphrase", "question")


def augment(
    source: Annotated[
        str, typer.Argument(help="A .txt, .jsonl, .csv, .tsv or .parquet of texts, hf:NAME, or a corpus' name.")
    ],
    out: Annotated[Path, typer.Option(help="Parquet file to write: the sources and what was made of them.")],
    kind: Annotated[
        list[str] | None, typer.Option(help=f"{' or '.join(_KINDS)}; give it twice for both. Default: both.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help='A yes-or-no question about each text: --label "is this a complaint?"')
    ] = None,
    only_labels: Annotated[
        bool, typer.Option("--only-labels", help="Write no texts, answer the labels alone.")
    ] = False,
    each: Annotated[int, typer.Option(help="Texts of each kind to write for a source.", min=1)] = 1,
    llm: Annotated[
        str, typer.Option(help="Chat model: an asset (smollm2, qwen-0.5b), a folder or a hub id.")
    ] = "smollm2",
    embedder: Embedder = "minilm",
    column: Column = "",
    split: Annotated[
        str,
        typer.Option(
            help="Of a named corpus: train, validation or test. What would fall into another split is left out: of "
            "train little, of the others nearly all."
        ),
    ] = "train",
    limit: Annotated[int, typer.Option(help="At most so many sources; 0 means all.", min=0)] = 0,
    temperature: Annotated[
        float, typer.Option(callback=finite, help="Of the sampling; 0 is greedy.", min=0, max=2)
    ] = 0.7,
    margin: Annotated[
        float, typer.Option(callback=finite, help="Log-odds within which a label counts as unsure.", min=0)
    ] = 1.0,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Let a language model enlarge a corpus: paraphrases, questions that a text answers, and yes-or-no labels.

    What it writes is filtered (length, copies and duplicates, cosine to the source), and the report says what was kept
    and why the rest was not. The same seed gives the same file. A run that was stopped goes on where it was.

    Example: workbench augment tatoeba --limit 200 --label "is this a question?" --out augmented.parquet
    """
    begin(quiet, device)
    from workbench.data import corpora
    from workbench.embed import load_embedder
    from workbench.jobs.augment import AugmentRecipe
    from workbench.jobs.augment import augment as run
    from workbench.lm.chat import ChatModel

    kinds = () if only_labels else tuple(dict.fromkeys(kind or _KINDS))
    recipe = AugmentRecipe(kinds, tuple(label or ()), each, margin=margin, temperature=temperature, seed=seed)
    named = source in corpora.names()
    texts = corpora.load(source, split, limit or None) if named else load_texts(source, column, on_bad_rows, quiet)
    texts = texts.head(limit) if limit else texts
    account = run(texts, out, recipe, ChatModel(llm, device), load_embedder(embedder, device))
    kept = ", ".join(f"{count:,} {name}s" for name, count in account.kept)
    say(f"{account.sources:,} sources{', ' + kept if kept else ''}, {account.seconds:.0f} s -> {out}", quiet)
    finish(account, json, quiet)
