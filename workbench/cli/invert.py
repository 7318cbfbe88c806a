"""workbench invert: vectors to texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli._options import (
    DONE,
    Bulk,
    Column,
    Device,
    Embedder,
    Json,
    Lance,
    OnBadRows,
    PartRows,
    Quiet,
    Ray,
    Seed,
    Unverified,
    Workers,
    begin,
    decoded_codes,
    embedder_of,
    finish,
    finite,
    load_texts,
    load_vectors,
    require_places,
    say,
)
from workbench.core.errors import BadInput

if TYPE_CHECKING:
    from workbench.results import Inversions


def invert(
    vectors: Annotated[Path | None, typer.Argument(help="Parquet of vectors, as `workbench embed` writes it.")] = None,
    out: Annotated[Path, typer.Option(help="JSON Lines to write, one object a vector, in input order.")] = Path(
        "out.jsonl"
    ),
    texts: Annotated[str, typer.Option(help="Instead of vectors: texts to embed, hide, invert and score.")] = "",
    inverter: Annotated[
        str,
        typer.Option(
            help="search, correction, hypothesis, nearest, bag-of-words, zero-shot, few-shot, ... (`workbench list`)."
        ),
    ] = "search",
    preset: Annotated[str, typer.Option(help="Of search, zero-shot and white-box: fast, default or best.")] = "default",
    budget: Annotated[
        float, typer.Option(callback=finite, help="Of search and correction: most seconds in all; 0: no limit.")
    ] = 0.0,
    queries: Annotated[int, typer.Option(help="Of both: most texts embedded for a vector; 0: no limit.", min=0)] = 0,
    weights: Annotated[
        bool, typer.Option("--weights", help="The attacker has the embedder's weights: search follows gradients too.")
    ] = False,
    embedder: Embedder = "",
    checkpoint: Annotated[str, typer.Option(help="Name or folder; default: the shipped one for the embedder.")] = "",
    beams: Annotated[int, typer.Option(help="Hypotheses a vector, 1 is greedy; 0: as the method likes.", min=0)] = 0,
    window: Annotated[
        int, typer.Option(help="With --texts: embed long texts in windows of so many tokens, invert each.", min=0)
    ] = 0,
    path: Annotated[bool, typer.Option("--path", help="Write each vector's path, round by round, too.")] = False,
    floors: Annotated[
        bool, typer.Option(help="With --texts: score nearest, bag-of-words and the prior beside.")
    ] = True,
    corpus: Annotated[
        str, typer.Option(help="The attacker's public text, for nearest, zero-shot and unpaired.")
    ] = "conservative",
    corpus_texts: Annotated[int, typer.Option(help="How much of it.", min=1)] = 20_000,
    known: Annotated[
        str, typer.Option(help="Of few-shot and unpaired: the attacker's own embedder, to which vectors are mapped.")
    ] = "minilm",
    through: Annotated[
        str,
        typer.Option(help="Of both: the inverter of that embedder, such as search. Of white-box: what begins."),
    ] = "hypothesis",
    language_model: Annotated[
        str, typer.Option(help="Of zero-shot: a causal language model by name, folder or hub id.")
    ] = "smollm2",
    pairs: Annotated[
        Path | None, typer.Option(help="Of few-shot: Parquet of texts with the victim's vectors of them.")
    ] = None,
    pair_texts: Annotated[
        int,
        typer.Option(
            help="With --texts: the victim embeds so many public texts: pairs of few-shot, more vectors of unpaired.",
            min=0,
        ),
    ] = 0,
    column: Column = "",
    unverified: Unverified = False,
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
    """Turn vectors back into text.

    With --texts, each line is embedded, its text hidden, its vector inverted; then a table shows how much came back,
    beside the floors. With a Parquet file, the vectors alone are inverted. One vector holds about a sentence: what is
    longer comes back cut, unless the store embeds it in windows.

    zero-shot needs no checkpoint: it embeds --corpus-texts public texts and lets a language model write. few-shot and
    unpaired never ask the embedder of the vectors: they map them to --known, from pairs or from the shape of the whole
    store, and invert there. white-box follows the embedder's gradients from what --through has found.

    Before a file of vectors is inverted, a few of them are read and their texts embedded again. Where these come no
    nearer than texts of another embedder's vectors, and the fingerprint does not know the embedder either, nothing is
    inverted, unless --unverified insists.

    In bulk (--workers, --ray, --part-rows, --lance) --out is a folder of Parquet: id, text, cosine, rounds.

    Examples: workbench invert --texts lines.txt --out out.jsonl
              workbench invert vectors.parquet --preset best --path --out out.jsonl
              workbench invert vectors.parquet --out texts --workers 2
    """
    begin(quiet, device)
    if bulk := Bulk(workers, ray, part_rows, lance):
        bulk.refuse(texts=texts, budget=budget, window=window, path=path, pairs=pairs, pair_texts=pair_texts)
        recipe = {
            "inverter": inverter,
            "embedder": embedder,
            "weights": weights,
            "preset": preset,
            "queries": queries,
            "checkpoint": checkpoint,
            "beams": beams,
            "corpus": corpus,
            "corpus_texts": corpus_texts,
            "through": through,
            "language_model": language_model,
            "seed": seed,
        }
        return _in_bulk(bulk, vectors, out, recipe, device, json, quiet, on_bad_rows, unverified)
    if bool(texts) == bool(vectors):
        raise BadInput("give either a Parquet file of vectors or --texts FILE, and not both")
    if window and not texts:
        raise BadInput("--window goes with --texts; vectors of a file are windows already")
    require_places(out, json)
    from workbench.core.access import Access, granting
    from workbench.embed import load_embedder
    from workbench.invert import INVERTERS, open_inverter
    from workbench.invert._aligned import Aligned
    from workbench.invert._inverter import Attacker
    from workbench.invert._pool import Limits
    from workbench.jobs.invert_texts import invert_texts
    from workbench.jobs.verify_store import verify_store

    source = load_texts(texts, column, on_bad_rows, quiet) if texts else None
    stolen = load_vectors(vectors, on_bad_rows, quiet) if vectors else None
    member = INVERTERS.load(inverter)
    maps = issubclass(member, Aligned)
    if pair_texts and (pairs or not texts):
        raise BadInput("--pair-texts goes with --texts, and not with --pairs")
    if (pairs or pair_texts) and not maps:
        raise BadInput(f"--pairs and --pair-texts go with few-shot and unpaired; {inverter} asks the embedder")
    if weights and member.needs < Access.QUERY:
        raise BadInput(f"--weights goes with search; {inverter} needs no more than {member.needs.name}")
    model = load_embedder(known if maps and stolen else embedder_of(stolen, embedder), device)
    if stolen and not maps:
        stolen = decoded_codes(stolen, model, quiet)
    attacker = Attacker(
        model,
        granting(Access.WEIGHTS if weights else member.needs),
        corpus=corpus,
        corpus_texts=corpus_texts,
        checkpoint=checkpoint,
        beams=beams,
        preset=preset,
        limits=Limits(budget, queries),
        device=device,
        known=known,
        language_model=language_model,
        through=through,
        pairs=load_vectors(pairs, on_bad_rows, quiet) if pairs else None,
        store=stolen.without_texts() if stolen else None,
        seed=seed,
    )
    if source is not None:
        found, table = invert_texts(source, inverter, attacker, window, floors, seed, pair_texts)
    else:
        assert stolen is not None
        opened = open_inverter(inverter, attacker)
        doubt = ""
        if opened.reads_own:
            stolen.require_dim(opened.dim, f"the {inverter} inverter")
            doubt = verify_store(stolen, opened.embedder, opened, device).settle(unverified, str(vectors))
        found, table = replace(opened.invert(stolen.without_texts()), doubt=doubt), None
    _write(out, found, source.texts if source else None, path)
    if found.doubt:
        say(f"doubtful: {found.doubt}")
    say(f"{len(found):,} vectors inverted in {found.seconds:.1f} s -> {out}", quiet)
    finish(table or found, json, quiet)
    return DONE


def _in_bulk(
    bulk: Bulk,
    vectors: Path | None,
    out: Path,
    recipe: dict[str, Any],
    device: str,
    json: str,
    quiet: bool,
    on_bad_rows: str,
    unverified: bool,
) -> int:
    from workbench.core.access import Access
    from workbench.invert import INVERTERS
    from workbench.invert._aligned import Aligned
    from workbench.jobs.bulk import maker_of

    member = INVERTERS.load(recipe["inverter"])
    if issubclass(member, Aligned):
        raise BadInput(f"{recipe['inverter']} learns from a whole store and does not go in bulk; use another inverter")
    if recipe["weights"] and member.needs < Access.QUERY:
        raise BadInput(f"--weights goes with search; {recipe['inverter']} needs no more than {member.needs.name}")
    if vectors is not None:
        recipe["embedder"] = maker_of(vectors, recipe["embedder"]) or "minilm"
    return bulk.run("invert", str(vectors or ""), out, recipe, device, json, quiet, on_bad_rows, unverified)


def _write(out: Path, found: Inversions, texts: tuple[str, ...] | None, path: bool) -> None:
    from workbench.core.files import write_json_lines

    records = []
    for i, id in enumerate(found.ids):
        record: dict[str, object] = {"id": str(id)}
        if texts is not None:
            record["text"] = texts[i]
        cosine = None if found.cosines is None else round(float(found.cosines[i]), 6)
        record |= {"reconstruction": found.texts[i], "cosine": cosine, "rounds": int(found.rounds[i])}
        if path:
            record["path"] = found.steps(i)
        records.append(record)
    write_json_lines(out, records)
