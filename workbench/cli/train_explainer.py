"""workbench train explainer: soft prompts for a language model that reads vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Json, Quiet, Seed, begin, begin_training, finish, finite, say


def explainer(
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint: card.json and safetensors.")],
    run: Annotated[Path | None, typer.Option(help="Folder of the run, for log and resume; default: runs/NAME.")] = None,
    embedder: Annotated[str, typer.Option(help="The embedder to explain: any (`workbench list`).")] = "minilm",
    model: Annotated[str, typer.Option(help="Causal language model: smollm2, a folder or a hub id.")] = "smollm2",
    corpus: Annotated[str, typer.Option(help="Corpus whose train split is learnt.")] = "conservative",
    texts: Annotated[int, typer.Option(help="Texts of it.", min=500)] = 40_000,
    per_task: Annotated[int, typer.Option(help="Most labelled texts of each probing task.", min=0)] = 1500,
    planted: Annotated[int, typer.Option(help="Records with planted personal data beside them.", min=0)] = 4000,
    words_from: Annotated[
        str, typer.Option(help="Whose bag of words is read: an inverter's checkpoint, auto, or fit (anew).")
    ] = "auto",
    variant: Annotated[
        str, typer.Option(help="Projector: words (read words stand in the prompt), affine, or linear.")
    ] = "words",
    mixture: Annotated[Path | None, typer.Option(help="TOML of tasks and shares; default: the shipped one.")] = None,
    rank: Annotated[int, typer.Option(help="Of LoRA, trained after the projector; 0: none.", min=0)] = 16,
    first_layer: Annotated[int, typer.Option(help="First layer that LoRA changes; later is cheaper.", min=0)] = 8,
    projector_share: Annotated[
        float, typer.Option(callback=finite, help="Share of the run in which the projector learns.")
    ] = 0.15,
    steps: Annotated[int, typer.Option(help="Steps in all; a finished run can be prolonged.", min=1)] = 4000,
    minutes: Annotated[
        float, typer.Option(callback=finite, help="Train for so long instead, schedule included; 0: --steps.")
    ] = 0.0,
    batch: Annotated[int, typer.Option(help="Vectors a step, about five questions on each.", min=1)] = 6,
    accumulate: Annotated[int, typer.Option(help="Batches whose gradients are added up.", min=1)] = 1,
    learning_rate: Annotated[
        float, typer.Option(callback=finite, help="Highest learning rate.", min=1e-7, max=1.0)
    ] = 8e-4,
    save_every: Annotated[int, typer.Option(help="Steps between saved states and held-out metrics.", min=1)] = 100,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves the choice to torch.", min=0)] = 0,
    evaluate: Annotated[int, typer.Option(help="Held-out texts that the card's metrics stand on.", min=30)] = 300,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a language model to read vectors, and measure how faithful it is, beside its floors.

    A projector turns a vector into soft tokens of a frozen language model; it begins with the words that a closed-form
    regression reads. Then LoRA adapts the model. A run that was stopped goes on when the same command is given again.
    On several GPUs: accelerate launch -m workbench train explainer; they share the layers of a language model that is
    too large for one: accelerate launch --use_fsdp --fsdp_version 2 -m workbench train explainer

    Examples: workbench train explainer --out checkpoints/mine --minutes 60
              workbench train explainer --out checkpoints/mpnet --embedder mpnet --words-from fit --steps 20000
    """
    begin(quiet, device)
    from workbench.jobs._explain_mixture import load_mixture
    from workbench.jobs.explainer_recipe import ExplainerRecipe
    from workbench.jobs.ship_explainer import ship_explainer
    from workbench.jobs.train_explainer import train_explainer

    begin_training(quiet, threads)
    recipe = ExplainerRecipe(
        embedder=embedder,
        model=model,
        corpus=corpus,
        texts=texts,
        per_task=per_task,
        planted=planted,
        words_from=words_from,
        variant=variant,  # type: ignore[arg-type] - checked by the recipe
        rank=rank,
        first_layer=first_layer,
        projector_share=projector_share,
        steps=10_000_000 if minutes else steps,
        minutes=minutes,
        batch=batch,
        accumulate=accumulate,
        learning_rate=learning_rate,
        seed=seed,
    )
    tasks = load_mixture(mixture)
    trained = train_explainer(recipe, run or Path("runs") / out.name, tasks, device, save_every)
    if not trained.ranks.measures:
        return
    scores = ship_explainer(trained, out, evaluate, tasks)
    if not trained.leads:
        return
    say(f"checkpoint: {out}", quiet)
    finish(scores, json, quiet)
