"""One of the processes of a run: it trains, is stopped in the middle, goes on, and trains more; then in shares."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.distributed.tensor import DTensor

from workbench.core.errors import BadInput
from workbench.jobs import train_explainer, train_inverter
from workbench.jobs._explain_mixture import Mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.jobs.ship_explainer import ship_explainer
from workbench.lm.soft_prompt import DESCRIBE, SoftPromptModel

_USE_FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",  # by which transformers may leave weights out in all but the first
}
"""What `accelerate launch --use_fsdp --fsdp_version 2` leaves in the environment, as far as it is read here."""


@contextmanager
def _stopped_at_three(state: type) -> Iterator[None]:
    """What learns in the body is stopped before its fourth step."""
    learn: Callable[..., torch.Tensor] = state.learn  # type: ignore[attr-defined]

    def learn_or_stop(self: Any, lessons: object) -> torch.Tensor:
        if self.step == 3:
            raise KeyboardInterrupt
        return learn(self, lessons)

    state.learn = learn_or_stop  # type: ignore[attr-defined]
    try:
        yield
        raise AssertionError("it was not stopped")
    except KeyboardInterrupt:
        pass
    finally:
        state.learn = learn  # type: ignore[attr-defined]


def _held(model: SoftPromptModel) -> dict[str, int]:
    """Frozen weights that are shared out, those of them that lie here, and those that are whole in each process."""
    here, shared, whole = 0, 0, 0
    for name, value in model.lm.named_parameters():
        if isinstance(value, DTensor):
            here, shared = here + value.to_local().numel(), shared + value.numel()
        elif "lora_" not in name:
            whole += value.numel()
    return {"here": here, "shared": shared, "whole": whole}


def _in_shares(folder: Path, recipe: ExplainerRecipe, mixture: Mixture, ship: bool) -> None:
    """The explainer's training with its layers in shares, stopped and resumed, and what came of it."""
    os.environ.update(_USE_FSDP)
    run, said = folder / "shares", dict[str, Any]()
    with _stopped_at_three(train_explainer._State):
        train_explainer.train_explainer(recipe, run, mixture, "cpu", save_every=2)
    trained = train_explainer.train_explainer(recipe, run, mixture, "cpu", save_every=2)
    name = "leads" if trained.leads else "follows"
    said |= _held(trained.model)
    said["written"] = trained.model.write([trained.train.vectors[:1]], DESCRIBE, 8)
    try:
        train_inverter.train_inverter(InverterRecipe(), folder / "refused", "cpu")
    except BadInput as error:
        said["refused"] = str(error)
    (folder / f"shares_{name}.json").write_text(json.dumps(said))
    save_file(train_explainer.learnt(trained.model), folder / f"shares_{name}.safetensors")
    if ship:
        ship_explainer(trained, folder / "shipped", 30, mixture, others=())


def main(folder: Path, ship: bool = False) -> None:
    """All trainings in the folder, with the recipes that lie there; each process leaves what it ended with."""
    torch.set_num_threads(1)
    said = json.loads((folder / "recipes.json").read_text())
    taught, mixture = ExplainerRecipe(**said["explainer"]), Mixture(**said["mixture"])
    if ship:
        _in_shares(folder, taught, mixture, ship)
        return
    recipe = InverterRecipe(**said["inverter"])
    with _stopped_at_three(train_inverter._State):
        train_inverter.train_inverter(recipe, folder / "inverter", "cpu", save_every=2)
    inverter = train_inverter.train_inverter(recipe, folder / "inverter", "cpu", save_every=2)
    explainer = train_explainer.train_explainer(taught, folder / "explainer", mixture, "cpu", save_every=3)
    assert inverter.leads == explainer.leads
    name = "leads" if inverter.leads else "follows"
    ended = {key: value.contiguous().clone() for key, value in inverter.model.decoder.state_dict().items()}
    save_file(ended, folder / f"inverter_{name}.safetensors")
    save_file(train_explainer.learnt(explainer.model), folder / f"explainer_{name}.safetensors")
    _in_shares(folder, taught, mixture, ship)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--ship" in sys.argv)
