"""workbench train sae: a sparse autoencoder on vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli._options import (
    Device,
    Json,
    OnBadRows,
    Quiet,
    Seed,
    begin,
    begin_training,
    finish,
    finite,
    load_vectors,
    say,
    write_page,
)
from workbench.core.errors import BadInput

if TYPE_CHECKING:
    from workbench.core.embedding_set import EmbeddingSet


def sae(
    vectors: Annotated[
        str, typer.Argument(metavar="[VECTORS.parquet]", help="Vectors, with texts or without; or see --embedder.")
    ] = "",
    embedder: Annotated[
        str, typer.Option(help="Instead of a file: the embedder (`workbench list`) whose vectors are learnt.")
    ] = "",
    corpus: Annotated[str, typer.Option(help="With --embedder: the corpus whose train split it embeds.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many vectors; 0: all of a file.", min=0)] = 50_000,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of the run: state, checkpoint, features.json; default: runs/sae-NAME.")
    ] = None,
    features: Annotated[int, typer.Option(help="Size of the dictionary: more features are narrower ones.")] = 2048,
    k: Annotated[int, typer.Option(help="Most features that are active in one vector.")] = 32,
    epochs: Annotated[int, typer.Option(help="Times that every vector is seen.")] = 20,
    batch: Annotated[int, typer.Option(help="Vectors a step.")] = 512,
    learning_rate: Annotated[float, typer.Option(callback=finite, help="Highest learning rate.")] = 4e-3,
    dead_after: Annotated[
        int, typer.Option(help="Vectors without activation after which a feature is dead, and is worked on.")
    ] = 10_000,
    held_out: Annotated[
        float,
        typer.Option(
            callback=finite, help="Share of the vectors, by the hash of the text, that are measured on alone."
        ),
    ] = 0.05,
    save_every: Annotated[int, typer.Option(help="Steps between saved states.", min=1)] = 500,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves the choice to torch.", min=0)] = 0,
    html: Annotated[Path | None, typer.Option(help="Also write the features as a page that needs no network.")] = None,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Find the features that vectors are made of: a dictionary of directions of which each vector uses at most k.

    A top-k sparse autoencoder is trained and measured on vectors that it never saw, beside principal components and
    dictionaries that nobody trained. Where there are texts, each feature is named by the words of its top texts. A run
    that was stopped goes on when the same command is given again.

    Examples: workbench train sae --embedder minilm --corpus conservative --html features.html
              workbench train sae vectors.parquet --features 512 --k 16 --folder runs/mine --json features.json
    """
    begin(quiet, device)
    if bool(vectors) == bool(embedder or corpus):
        raise BadInput("give either a Parquet file of vectors, or --embedder with --corpus")
    from workbench.jobs.sae_recipe import SaeRecipe

    recipe = SaeRecipe(features, k, epochs, batch, learning_rate, dead_after, held_out, seed)
    from workbench.jobs.train_sae import train_sae

    begin_training(quiet, threads)
    found, data, name = _gather(vectors, embedder, corpus, limit, device, quiet, on_bad_rows)
    run = folder or Path("runs") / f"sae-{name}"
    result = train_sae(found, recipe, run, device, save_every, data).features
    say(f"checkpoint: {run / 'checkpoint'}; all features: {run / 'features.json'}", quiet)
    if html:
        write_page(html, result.title, result, quiet)
    finish(result, json, quiet)


def _gather(
    path: str, embedder: str, corpus: str, limit: int, device: str, quiet: bool, on_bad_rows: str
) -> tuple[EmbeddingSet, list[dict[str, Any]], str]:
    """The vectors, what the card says of them, and a name for the run."""
    if path:
        found = load_vectors(path, on_bad_rows, quiet)
        if limit and len(found) > limit:
            say(f"the first {limit:,} of {len(found):,} vectors; --limit 0 takes all", quiet)
            found = found.select(slice(0, limit))
        return found, [{"name": Path(path).name, "vectors": len(found)}], Path(path).stem
    from workbench.jobs._sae_data import corpus_vectors
    from workbench.jobs._training_data import account

    if not limit:
        raise BadInput("--limit 0 is for files; say how many texts of the corpus to embed")
    embedder, corpus = embedder or "minilm", corpus or "conservative"
    found = corpus_vectors(embedder, corpus, limit, device)
    return found, [account(corpus, len(found))], f"{Path(embedder.partition('?')[0]).name}-{corpus}"
