"""One of the processes of a run: it trains, is stopped in the middle, goes on, and trains more."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from workbench.jobs import train_explainer, train_inverter
from workbench.jobs._explain_mixture import Mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.jobs.inverter_recipe import InverterRecipe

_learn = train_inverter._State.learn


def _stop_at_three(state: train_inverter._State, lessons: object) -> torch.Tensor:
    if state.step == 3:
        raise KeyboardInterrupt
    return _learn(state, lessons)  # type: ignore[arg-type]


def main(folder: Path) -> None:
    """Both trainings in the folder, with the recipes that lie there; each process leaves what it ended with."""
    torch.set_num_threads(1)
    said = json.loads((folder / "recipes.json").read_text())
    recipe = InverterRecipe(**said["inverter"])
    train_inverter._State.learn = _stop_at_three  # type: ignore[method-assign]
    try:
        train_inverter.train_inverter(recipe, folder / "inverter", "cpu", save_every=2)
        raise AssertionError("it was not stopped")
    except KeyboardInterrupt:
        train_inverter._State.learn = _learn  # type: ignore[method-assign]
    inverter = train_inverter.train_inverter(recipe, folder / "inverter", "cpu", save_every=2)
    explainer = train_explainer.train_explainer(
        ExplainerRecipe(**said["explainer"]), folder / "explainer", Mixture(**said["mixture"]), "cpu", save_every=3
    )
    assert inverter.leads == explainer.leads
    name = "leads" if inverter.leads else "follows"
    ended = {key: value.contiguous().clone() for key, value in inverter.model.decoder.state_dict().items()}
    save_file(ended, folder / f"inverter_{name}.safetensors")
    save_file(train_explainer.learnt(explainer.model), folder / f"explainer_{name}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
