"""workbench train: make a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Json, Quiet, Seed, begin, begin_training, finish, finite, say
from workbench.cli.train_explainer import explainer
from workbench.cli.train_sae import sae

app = typer.Typer(help="Train a checkpoint.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Train a checkpoint."""


@app.command("inverter")
def inverter(
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint: card.json, weights, vocabulary.")],
    run: Annotated[Path | None, typer.Option(help="Folder of the run, for log and resume; default: runs/NAME.")] = None,
    embedder: Annotated[str, typer.Option(help="The embedder to invert: any (`workbench list`).")] = "minilm",
    corpus: Annotated[str, typer.Option(help="Corpus whose train split is learnt.")] = "conservative",
    texts: Annotated[int, typer.Option(help="Texts of it that are looked at.", min=1000)] = 400_000,
    skip: Annotated[int, typer.Option(help="Texts that are passed over first.", min=0)] = 0,
    long: Annotated[
        bool, typer.Option("--long", help="Texts over --max-tokens alone, cut short: new ones for --correction 1.")
    ] = False,
    renewed: Annotated[
        float,
        typer.Option(
            callback=finite,
            help="Share of batches whose texts have words replaced each time they are seen (film), 0 to 1.",
        ),
    ] = 0.0,
    planted: Annotated[int, typer.Option(help="Records with planted personal data beside them.", min=0)] = 24_000,
    max_tokens: Annotated[int, typer.Option(help="Longest text, in the embedder's tokens.", min=8)] = 34,
    vocabulary: Annotated[int, typer.Option(help="Word pieces that can be written.", min=200)] = 12_000,
    cased: Annotated[bool, typer.Option("--cased", help="Tell upper from lower case: pieces learnt anew.")] = False,
    architecture: Annotated[
        str, typer.Option(help="film; causal (layers of a language model); t5 (vec2text's own, for comparison).")
    ] = "film",
    start: Annotated[
        str,
        typer.Option(
            help="First weights: auto (the embedder's own layers or MiniLM's), nothing, a BERT-like model, or the "
            "checkpoint of an inverter to go on from."
        ),
    ] = "auto",
    layers: Annotated[int, typer.Option(help="Layers of the decoder.", min=1)] = 3,
    bag_of_words: Annotated[
        bool, typer.Option("--bag-of-words/--no-bag-of-words", help="Lean on the closed-form bag of words.")
    ] = True,
    correction: Annotated[
        float,
        typer.Option(
            callback=finite,
            help="Share of batches that rewrite drafts (vec2text's second stage), 0 to 0.5; 1: learn nothing else.",
        ),
    ] = 0.0,
    correction_from: Annotated[
        float, typer.Option(callback=finite, help="Share of the run that is over before the first draft is rewritten.")
    ] = 0.0,
    disturb: Annotated[
        str, typer.Option(help="Defence on the vectors that are read: noise:0.1, int8, binary (adaptive attacker).")
    ] = "",
    steps: Annotated[int, typer.Option(help="Steps in all; a finished run can be prolonged.", min=1)] = 8_000,
    minutes: Annotated[
        float, typer.Option(callback=finite, help="Train for so long instead, schedule included; 0: --steps.")
    ] = 0.0,
    batch_tokens: Annotated[int, typer.Option(help="Word pieces of a batch, about.", min=64)] = 768,
    accumulate: Annotated[
        int, typer.Option(help="Batches whose gradients are added up before a step, in each process.", min=1)
    ] = 1,
    dropout: Annotated[
        float, typer.Option(callback=finite, help="Of film, for runs that see each text many times.")
    ] = 0.0,
    learning_rate: Annotated[
        float, typer.Option(callback=finite, help="Highest learning rate.", min=1e-7, max=1.0)
    ] = 3e-4,
    warmup: Annotated[int, typer.Option(help="Steps in which the rate rises.", min=0)] = 300,
    ema: Annotated[
        float, typer.Option(callback=finite, help="Decay of the running mean of the weights; 0 for none.")
    ] = 0.999,
    save_every: Annotated[int, typer.Option(help="Steps between saved states and held-out metrics.", min=1)] = 500,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves the choice to torch.", min=0)] = 0,
    evaluate: Annotated[
        int, typer.Option(help="Held-out test sentences that the card's metrics are measured on.", min=30)
    ] = 1000,
    preset: Annotated[
        str, typer.Option(help="How hard search works when it is measured: fast, default or best.")
    ] = "default",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train an inverter and measure it, beside its floors, on held-out sentences.

    A run that was stopped goes on when the same command is given again; --minutes M ends it by the clock. Held-out
    metrics, floors and samples are logged as it learns. On several GPUs: accelerate launch -m workbench train inverter

    Examples: workbench train inverter --out checkpoints/mine --steps 500 --texts 20000
              workbench train inverter --out checkpoints/longer --start minilm-inverter --minutes 60
    """
    begin(quiet, device)
    from workbench.invert.search import named_preset
    from workbench.jobs.inverter_recipe import InverterRecipe
    from workbench.jobs.ship_inverter import ship_inverter
    from workbench.jobs.train_inverter import train_inverter

    begin_training(quiet, threads)
    measured = named_preset(preset)
    recipe = InverterRecipe(
        embedder=embedder,
        corpus=corpus,
        texts=texts,
        skip=skip,
        long=long,
        renewed=renewed,
        planted=planted,
        max_tokens=max_tokens,
        vocabulary=vocabulary,
        cased=cased,
        architecture=architecture,
        start=start,
        layers=layers,
        bag_of_words=bag_of_words,
        correction=correction,
        correction_from=correction_from,
        disturb=disturb,
        steps=10_000_000 if minutes else steps,
        minutes=minutes,
        batch_tokens=batch_tokens,
        accumulate=accumulate,
        dropout=dropout,
        learning_rate=learning_rate,
        warmup=warmup,
        ema=ema,
        seed=seed,
    )
    trained = train_inverter(recipe, run or Path("runs") / out.name, device, save_every)
    if not trained.leads:
        return
    table = ship_inverter(trained, out, evaluate, preset=measured)
    say(f"checkpoint: {out}", quiet)
    finish(table, json, quiet)


app.command("explainer")(explainer)
app.command("sae")(sae)
