"""workbench explain: vectors to words, by a language model that reads them."""

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
    Unverified,
    begin,
    decoded_codes,
    embedder_of,
    finish,
    load_texts,
    load_vectors,
    require_places,
    say,
    write_page,
)
from workbench.core.errors import BadInput


def explain(
    vectors: Annotated[Path | None, typer.Argument(help="Parquet of vectors, as `workbench embed` writes it.")] = None,
    texts: Annotated[str, typer.Option(help="Instead of vectors: texts to embed, hide and explain.")] = "",
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Instead of both: two texts; describe the points on the way.", metavar="TEXT_A TEXT_B"),
    ] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Instead of all: measure how far the explainer can be believed.")
    ] = False,
    ask: Annotated[str, typer.Option(help="A yes-or-no question about each hidden text.")] = "",
    document: Annotated[
        bool, typer.Option("--document", help="With --ask: the vectors are one document's; answer once for all.")
    ] = False,
    steps: Annotated[int, typer.Option(help="Of --between: points, both ends included.", min=2)] = 5,
    n: Annotated[int, typer.Option(help="Of --evaluate: held-out texts of each corpus.", min=30)] = 300,
    out: Annotated[Path, typer.Option(help="JSON Lines to write, one object a vector, in input order.")] = Path(
        "out.jsonl"
    ),
    html: Html = None,
    embedder: Embedder = "",
    checkpoint: Annotated[str, typer.Option(help="Name or folder; default: the shipped one for the embedder.")] = "",
    claims: Annotated[
        bool, typer.Option(help="Also read fixed attributes off each vector, and check them against probes.")
    ] = True,
    column: Column = "",
    serve: Annotated[
        str, typer.Option(help="What runs the language model: torch, or llamacpp (llama.cpp, an extra, on the CPU).")
    ] = "torch",
    on_bad_rows: OnBadRows = "",
    unverified: Unverified = False,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Let a language model read vectors: it describes the hidden texts and answers questions about them.

    It is given the vectors alone; with --texts the texts stand beside for the eye. Beside every description stands
    what the same model says of another vector (blind), and linear probes contradict what is invented.

    Examples: workbench explain --texts lines.txt --ask "Is it about money?" --out out.jsonl
              workbench explain vectors.parquet --html page.html
              workbench explain --between "I like tea." "The bank is shut." --steps 5
              workbench explain --evaluate --n 300 --json scores.json
    """
    begin(quiet, device)
    _check(sum(map(bool, (vectors, texts, between, evaluate))), between, evaluate, ask, document, serve)
    require_places(out, html, json)
    from workbench.core.files import write_json_lines
    from workbench.embed import load_embedder

    source = load_texts(texts, column, on_bad_rows, quiet) if texts else None
    held = load_vectors(vectors, on_bad_rows, quiet) if vectors else None
    model = load_embedder(embedder_of(held, embedder), device)
    if held is not None:
        from workbench.jobs.verify_store import reader_of, verify_store

        held = decoded_codes(held, model, quiet)
        held.require_dim(model.spec.dim, model.spec.name)
        reader = reader_of(model, device)
        if doubt := verify_store(held, model, reader, device).settle(unverified, str(vectors)):
            say(f"doubtful: {doubt}")
    if evaluate:
        from workbench.jobs.evaluate_explainer import evaluate_explainer

        result = evaluate_explainer(model, checkpoint, n, seed, device)
    else:
        from workbench.explain import open_explainer

        explainer = open_explainer(model, checkpoint, device, serve)
        if between:
            first, last = model.embed(list(between))
            result = explainer.interpolate(first, last, steps)
        else:
            held = model.embed_set(source.ids, source.texts, seed) if source else held
            assert held is not None
            hidden, known = held.without_texts(), None if held.texts is None else [text or "" for text in held.texts]
            if document:
                result = explainer.ask_document(hidden, ask)
            elif ask:
                result = explainer.ask(hidden, ask, claims=claims, texts=known)
            else:
                result = explainer.describe(hidden, claims=claims, texts=known)
        write_json_lines(out, result.records())
        say(f"{len(result):,} explained in {result.seconds:.1f} s -> {out}", quiet)
    if html:
        write_page(html, result.title, result, quiet)
    finish(result, json, quiet)


def _check(given: int, between: tuple[str, str] | None, evaluate: bool, ask: str, document: bool, serve: str) -> None:
    """Refuse what does not go together, before any model is opened."""
    if given != 1:
        raise BadInput('give one of: a Parquet file of vectors, --texts FILE, --between "A" "B", or --evaluate')
    if ask and (between or evaluate):
        raise BadInput("--ask goes with vectors or --texts; --between describes, --evaluate brings its own questions")
    if evaluate and serve != "torch":
        raise BadInput("--evaluate measures the model as torch serves it; leave --serve out")
    if document and not ask:
        raise BadInput('--document needs a question: --ask "Is it about money?"')
    if between and not all(text.strip() for text in between):
        raise BadInput(f"--between has the texts {between[0]!r} and {between[1]!r}; expected two that are not empty")
