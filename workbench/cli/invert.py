"""workbench invert: vectors to texts."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli._options import Device, Embedder, Json, Quiet, Seed, begin, finish, say
from workbench.core.errors import BadInput

if TYPE_CHECKING:
    from workbench.data.corpora import Corpus
    from workbench.invert._inverter import Attacker, Inverter
    from workbench.results import Inversions, ScoreTable


def invert(
    vectors: Annotated[Path | None, typer.Argument(help="Parquet of vectors, as `workbench embed` writes it.")] = None,
    out: Annotated[Path, typer.Option(help="JSON Lines to write, one object a vector, in input order.")] = Path(
        "out.jsonl"
    ),
    texts: Annotated[str, typer.Option(help="Instead of vectors: texts to embed, hide, invert and score.")] = "",
    inverter: Annotated[
        str, typer.Option(help="nearest, bag-of-words or hypothesis (`workbench list`).")
    ] = "hypothesis",
    embedder: Embedder = "",
    checkpoint: Annotated[str, typer.Option(help="Name or folder; default: the shipped one for the embedder.")] = "",
    beams: Annotated[int, typer.Option(help="Hypotheses a vector; 1 is greedy.", min=1)] = 8,
    floors: Annotated[
        bool, typer.Option(help="With --texts: score nearest, bag-of-words and the prior beside.")
    ] = True,
    corpus: Annotated[str, typer.Option(help="The attacker's public text, for `nearest`.")] = "conservative",
    corpus_texts: Annotated[int, typer.Option(help="How much of it.", min=1)] = 20_000,
    column: Annotated[str, typer.Option(help="Field or column of --texts that holds the text.")] = "text",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Turn vectors back into text.

    With --texts, each line is embedded, its text hidden, its vector inverted; then a table shows how much came back,
    beside the floors. With a Parquet file, the vectors alone are inverted.

    Examples: workbench invert --texts lines.txt --out out.jsonl
              workbench invert vectors.parquet --out out.jsonl
    """
    begin(quiet, device)
    if bool(texts) == bool(vectors):
        raise BadInput("give either a Parquet file of vectors or --texts FILE, and not both")
    from workbench.core.embedding_set import EmbeddingSet
    from workbench.data import corpora
    from workbench.embed import load_embedder
    from workbench.invert import open_inverter
    from workbench.invert._inverter import Attacker

    source = corpora.read(texts, column) if texts else None
    loaded = EmbeddingSet.load(vectors) if vectors else None
    said = loaded.provenance.embedder if loaded else "unknown"
    model = load_embedder(embedder or (said if said != "unknown" else "minilm"), device)
    stolen = loaded or model.embed_set(source.ids, source.texts, seed)  # type: ignore[union-attr]
    attacker = Attacker(
        model, corpus=corpus, corpus_texts=corpus_texts, checkpoint=checkpoint, beams=beams, device=device
    )
    attack = open_inverter(inverter, attacker)
    found = attack.invert(stolen.without_texts())
    _write(out, found, source)
    say(f"{len(found):,} vectors inverted in {found.seconds:.1f} s -> {out}", quiet)
    finish(_scores(found, source, attack, attacker, floors, seed) if source else found, json, quiet)


def _write(out: Path, found: Inversions, source: Corpus | None) -> None:
    from workbench.core.files import write_text

    lines = []
    for i, id in enumerate(found.ids):
        record = {"id": str(id)}
        if source is not None:
            record["text"] = source.texts[i]
        cosine = None if found.cosines is None else round(float(found.cosines[i]), 6)
        record |= {"reconstruction": found.texts[i], "cosine": cosine, "rounds": int(found.rounds[i])}
        lines.append(json_format.dumps(record, ensure_ascii=False))
    write_text(out, "\n".join(lines) + "\n")


def _scores(
    found: Inversions, source: Corpus, attack: Inverter, attacker: Attacker, floors: bool, seed: int
) -> ScoreTable:
    from workbench.invert import open_inverter
    from workbench.invert._inverter import PRIOR, shuffled
    from workbench.invert._score import bleu_signature, score
    from workbench.results import ScoreTable

    truth, model = source.texts, attacker.embedder
    scores = [score(found, truth, model, seed=seed)]
    stolen = model.embed_set(source.ids, source.texts, seed).without_texts()
    for name in ("nearest", "bag-of-words") if floors else ():
        if name != found.method:
            floor = open_inverter(name, attacker).invert(stolen)
            scores.append(score(floor, truth, model, role="floor", seed=seed))
    if floors and len(stolen) > 1:
        blind = attack.invert(shuffled(stolen, seed))
        scores.append(score(blind, truth, model, role="prior", name=f"{attack.name}, {PRIOR}", seed=seed))
    return ScoreTable(f"{len(truth)} texts", tuple(scores), bleu_signature())
