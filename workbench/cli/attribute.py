"""workbench attribute: which words a cosine comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import (
    DONE,
    Bulk,
    Device,
    Embedder,
    Html,
    Json,
    Lance,
    OnBadRows,
    PartRows,
    Quiet,
    Ray,
    Seed,
    Workers,
    begin,
    decoded_codes,
    embedder_of,
    finish,
    finite,
    load_vectors,
    policy_of,
    write_page,
)
from workbench.core.errors import BadInput


def attribute(
    text_a: Annotated[str, typer.Argument(help="First text.", metavar="TEXT_A")] = "",
    text_b: Annotated[str, typer.Argument(help="Second text.", metavar="TEXT_B")] = "",
    contrast: Annotated[str, typer.Option(help="A third text: also tell why B rather than this one.")] = "",
    query: Annotated[str, typer.Option(help="Instead of two texts: explain the nearest vectors of --corpus.")] = "",
    corpus: Annotated[Path | None, typer.Option(help="Parquet of vectors, as `workbench embed` writes it.")] = None,
    top: Annotated[int, typer.Option(help="Hits of --query to explain.", min=1)] = 10,
    evaluate: Annotated[
        Path | None, typer.Option(help="JSON Lines of {a, b}: measure how faithful every method is on these pairs.")
    ] = None,
    embedder: Embedder = "",
    method: Annotated[str, typer.Option(help="`workbench list attributors` has all.")] = "integrated-jacobian",
    level: Annotated[
        str,
        typer.Option(
            help="token, word, phrase or sentence: the tokens of a piece are summed. auto: phrase for texts of more "
            "than 64 tokens, whose pairs of tokens are too many to read and slow to find, else token."
        ),
    ] = "auto",
    layer: Annotated[int, typer.Option(help="Layer whose states are moved; 0: the token embeddings.", min=0)] = 0,
    reference: Annotated[str, typer.Option(help="Where the path begins: pad, mask, or a text.")] = "pad",
    tolerance: Annotated[
        float, typer.Option(callback=finite, help="Most that a pair's sum may miss the cosine by.")
    ] = 1e-2,
    nodes: Annotated[int, typer.Option(help="Places on the path; 0: as few as the tolerance allows.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="In bulk: the folder to write.")] = None,
    workers: Workers = 0,
    ray: Ray = "",
    part_rows: PartRows = 0,
    lance: Lance = False,
    html: Html = None,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> int:
    """Show which words of two texts their cosine comes from.

    Every pair of tokens gets its share; with the reference as border the shares sum to the cosine, and what is missing
    is shown. With --query and --corpus, the nearest vectors of a store are explained; with --evaluate, all methods are
    compared by what happens to the cosine when the words that they name are taken away.

    In bulk (--workers, --ray, --part-rows, --lance) the first argument is Parquet (or a .lance folder) with text_a and
    text_b, and --out a folder of Parquet: id, score, completeness_error, and the tokens and shares of both texts.

    Examples: workbench attribute "How do I reset my password?" "I forgot my login" --level word --html pair.html
              workbench attribute --query "lost card" --corpus vectors.parquet --top 10
              workbench attribute pairs.parquet --out shares --level word --workers 2
    """
    begin(quiet, device)
    if bulk := Bulk(workers, ray, part_rows, lance):
        if text_b:
            raise BadInput("in bulk, the first argument is a Parquet file or a folder of them, and there is no second")
        bulk.refuse(contrast=contrast, query=query, corpus=corpus, evaluate=evaluate, html=html)
        recipe = {
            "embedder": embedder_of(None, embedder),
            "method": method,
            "level": level,
            "layer": layer,
            "reference": reference,
            "tolerance": tolerance,
            "nodes": nodes,
        }
        return bulk.run("attribute", text_a, out, recipe, device, json, quiet, on_bad_rows)
    if out:
        raise BadInput("--out goes with --workers, --ray or --part-rows; a single result has --json and --html")
    wanted = [bool(text_a or text_b), bool(query or corpus), bool(evaluate)]
    if sum(wanted) != 1:
        raise BadInput("give two texts, or --query with --corpus, or --evaluate FILE")
    from workbench.attribute import open_attributor
    from workbench.attribute._attributor import Options
    from workbench.attribute._contributions import LEVELS, Level
    from workbench.core.errors import UnknownName
    from workbench.embed import load_embedder

    if level not in LEVELS:
        raise UnknownName("level", level, LEVELS)
    chosen: Level = level
    options = Options(layer, reference, tolerance, nodes)
    if evaluate:
        from workbench.attribute._faithfulness import evaluate as compare
        from workbench.attribute._faithfulness import read_pairs

        result = compare(
            load_embedder(embedder_of(None, embedder), device),
            read_pairs(evaluate, policy_of(on_bad_rows)),
            options,
            seed,
        )
    elif query or corpus:
        if not (query and corpus):
            raise BadInput("--query and --corpus go together")
        store = load_vectors(corpus, on_bad_rows, quiet)
        model = load_embedder(embedder_of(store, embedder), device)
        store = decoded_codes(store, model, quiet)
        result = open_attributor(model, method, options).hits(query, store, top, chosen)
    else:
        if not (text_a and text_b):
            raise BadInput("two texts are needed; an empty one has no words to point at")
        attributor = open_attributor(load_embedder(embedder_of(None, embedder), device), method, options)
        result = attributor.pair(text_a, text_b, chosen, contrast)
    if html:
        write_page(html, "Attribution", result, quiet)
    finish(result, json, quiet)
    return DONE
