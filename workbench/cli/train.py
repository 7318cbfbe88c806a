"""workbench train: make a checkpoint."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Json, Quiet, Seed, begin, finish, say

app = typer.Typer(help="Train a checkpoint.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Train a checkpoint."""


@app.command("inverter")
def inverter(
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint: card.json, weights, vocabulary.")],
    run: Annotated[Path | None, typer.Option(help="Folder of the run, for log and resume; default: runs/NAME.")] = None,
    embedder: Annotated[
        str, typer.Option(help="The embedder to invert; a BERT-like one, for its layers are the start.")
    ] = "minilm",
    corpus: Annotated[str, typer.Option(help="Corpus whose train split is learnt.")] = "conservative",
    texts: Annotated[int, typer.Option(help="Texts of it that are looked at.", min=1000)] = 400_000,
    planted: Annotated[int, typer.Option(help="Records with planted personal data beside them.", min=0)] = 24_000,
    max_tokens: Annotated[int, typer.Option(help="Longest text, in the embedder's tokens.", min=8)] = 34,
    vocabulary: Annotated[int, typer.Option(help="Word pieces that can be written.", min=1000)] = 12_000,
    layers: Annotated[int, typer.Option(help="Layers of the decoder.", min=1)] = 3,
    steps: Annotated[int, typer.Option(help="Steps in all; a finished run can be prolonged.", min=1)] = 8_000,
    batch_tokens: Annotated[int, typer.Option(help="Word pieces a step, about.", min=64)] = 768,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.", min=1e-7, max=1.0)] = 3e-4,
    save_every: Annotated[int, typer.Option(help="Steps between saved states.", min=1)] = 500,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves the choice to torch.", min=0)] = 0,
    evaluate: Annotated[
        int, typer.Option(help="Held-out test sentences that the card's metrics are measured on.", min=30)
    ] = 1000,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a hypothesis inverter and measure it, beside its floors, on held-out sentences.

    A run that was stopped goes on when the same command is given again. With the defaults this is how the shipped
    checkpoint for MiniLM was made.

    Example: workbench train inverter --out checkpoints/mine --steps 500 --texts 20000
    """
    begin(quiet, device)
    import torch

    from workbench.jobs.ship_inverter import ship_inverter
    from workbench.jobs.train_inverter import InverterRecipe, train_inverter

    if not quiet:
        logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
        logging.getLogger("workbench").setLevel(logging.INFO)
    if threads:
        torch.set_num_threads(threads)
    recipe = InverterRecipe(
        embedder=embedder,
        corpus=corpus,
        texts=texts,
        planted=planted,
        max_tokens=max_tokens,
        vocabulary=vocabulary,
        layers=layers,
        steps=steps,
        batch_tokens=batch_tokens,
        learning_rate=learning_rate,
        seed=seed,
    )
    trained = train_inverter(recipe, run or Path("runs") / out.name, device, save_every)
    table = ship_inverter(trained, out, evaluate)
    say(f"checkpoint: {out}", quiet)
    finish(table, json, quiet)
