"""Train an explainer: a projector, and if asked LoRA, that let a frozen language model read vectors; resumable.

The projector starts in closed form. One prompt carries many questions (`lm/_packing.py`), so that a vector is paid for
once. While it learns, the log says how much better a true vector is than a shuffled one.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from workbench.core.files import atomic_folder, read_json, write_json
from workbench.core.progress import progress
from workbench.core.tensors import NO_STATE, whole_tensors
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._torch import pick_device, plain_attention
from workbench.jobs._begin_explainer import begin_explainer
from workbench.jobs._explain_batches import Batch, Blocks, packed_batches
from workbench.jobs._explain_data import Hidden, gather_hidden, siblings_of
from workbench.jobs._explain_items import Teacher
from workbench.jobs._explain_mixture import Mixture, load_mixture
from workbench.jobs._moments import moments_of, restore_moments
from workbench.jobs._ranks import Ranks
from workbench.jobs._run_folder import Finished, append_log, refuse_another, validation_curve
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.lm.soft_prompt import DESCRIBE, SoftPromptModel

log = logging.getLogger(__name__)
_WORKERS_ON_GPU = 8
"""Processes that pack batches where a step takes less time than its packing."""
_WATCHED, _WATCHED_WORDS = 24, 24
"""Held-out texts whose nats are logged, and their most words."""


@dataclass(frozen=True)
class TrainedExplainer(Finished):
    """A trained explainer, ready for evaluation and shipping."""

    recipe: ExplainerRecipe
    model: SoftPromptModel
    embedder: Embedder
    train: Hidden
    ranks: Ranks


def train_explainer(
    recipe: ExplainerRecipe,
    run: Path,
    mixture: Mixture | None = None,
    device: str = "auto",
    save_every: int = 100,
    stop_after: float = math.inf,
) -> TrainedExplainer:
    """Train, or go on with, the run in the folder `run`; ends as the recipe says, or after `stop_after` seconds.

    The folder keeps `recipe.json`, `log.jsonl` (loss, speed, nats of true and shuffled vectors on held-out texts) and
    `state/`, replaced as a whole every `save_every` steps. The processes that `accelerate launch` starts share each
    step's batches; two learn what one does with twice the `accumulate`. With `--use_fsdp` they also share the language
    model's layers, each of which is gathered while it computes; what learns is whole in each, and so is what is saved.
    """
    where = pick_device(device)
    ranks = Ranks(where, frozen=True)
    mixture = mixture or load_mixture()
    refuse_another(asdict(recipe), run, ("steps", "minutes"))
    embedder = load_embedder(recipe.embedder, device)
    with ranks.one_first():
        train = gather_hidden(recipe, mixture, embedder, "train", recipe.texts)
        held_out = gather_hidden(recipe, mixture, embedder, "validation", 600)
    with ranks.in_turn():
        model = begin_explainer(recipe, embedder, train, where, ranks.mesh)
    if ranks.leads:
        write_json(run / "recipe.json", asdict(recipe))
        log.info("%d texts, %d words can be read", len(train.pool.texts), len(model.words))
    state = _State(model, recipe, where, ranks)
    state.restore(run / "state")
    watched = _Watched(held_out, model)
    began, before = time.monotonic(), state.seconds
    cpu_began, cpu_before = time.process_time(), state.cpu_seconds
    lessons = packed_batches(
        Blocks(Teacher(train.pool, mixture, siblings_of(model)), train, recipe, model),
        state.step * recipe.accumulate * ranks.world + ranks.rank,
        ranks.world,
        min(_WORKERS_ON_GPU, os.cpu_count() or 1) if where.startswith("cuda") else 0,
    )
    losses: list[torch.Tensor] = []

    def over() -> bool:
        return state.done >= 1 or state.seconds - before >= stop_after

    def tell(line: dict[str, Any]) -> None:
        if ranks.measures:
            line |= watched.measure()
        if ranks.leads:
            append_log(log, run, line)

    if state.step == 0:
        tell({"step": 0, "seconds": 0})
    with progress("train explainer", recipe.steps, "steps") as advance:
        advance(state.step)
        while not over():
            losses.append(state.learn([next(lessons) for _ in range(recipe.accumulate)]))
            state.seconds = ranks.same(before + time.monotonic() - began)
            state.cpu_seconds = cpu_before + time.process_time() - cpu_began
            advance(1)
            if state.step % save_every == 0 or over():
                line = {"step": state.step, "seconds": round(state.seconds), "stage": state.stage}
                tell({**line, "loss": round(float(torch.stack(losses).mean()), 4)})
                losses.clear()
                if ranks.leads:
                    state.save(run / "state")
    ranks.wait()
    return TrainedExplainer(
        recipe,
        model,
        embedder,
        train,
        ranks,
        steps=state.step,
        seconds=state.seconds,
        cpu_seconds=state.cpu_seconds,
        device=where,
        curve=validation_curve(run),
        leads=ranks.leads,
    )


_TOLD = ("step", "since", "seconds", "cpu_seconds", "stage")
"""What a saved state says of itself."""


class _State:
    """What learns, its optimiser and the count of steps: all that a resumed run needs."""

    def __init__(self, model: SoftPromptModel, recipe: ExplainerRecipe, device: str, ranks: Ranks) -> None:
        self.model, self._recipe, self._ranks, self._cuda = model, recipe, ranks, device.startswith("cuda")
        self.step, self.since, self.seconds, self.cpu_seconds = 0, 0, 0.0, 0.0
        self.stage = -1
        self._enter(0)

    @property
    def done(self) -> float:
        """Share of the run that is behind it."""
        return self._recipe.done(self.step, self.seconds)

    def learn(self, batches: Sequence[Batch]) -> torch.Tensor:
        """One step over some batches; gives the mean loss, which is not waited for."""
        if (stage := self._recipe.stage(self.done)) != self.stage:
            self._enter(stage)
        for group in self._optimiser.param_groups:
            group["lr"] = self._recipe.rate(self.since, self.done)
        self._optimiser.zero_grad(set_to_none=True)
        losses = []
        for vectors, packed in batches:
            with self._ranks.autocast(), nullcontext() if self._cuda else plain_attention():
                loss = self.model.loss(vectors, packed) / len(batches)
            loss.backward()
            losses.append(loss.detach())
        self._ranks.average(part for _, part in self._named)
        torch.nn.utils.clip_grad_norm_([part for _, part in self._named], 1.0)
        self._optimiser.step()
        self.step, self.since = self.step + 1, self.since + 1
        return torch.stack(losses).sum()

    def save(self, folder: Path) -> None:
        """Projector, LoRA and moments as safetensors; whole or not at all."""
        with atomic_folder(folder) as temporary:
            save_file(learnt(self.model), temporary / "learnt.safetensors")
            save_file(moments_of(self._named, self._optimiser), temporary / "moments.safetensors")
            write_json(temporary / "progress.json", {name: getattr(self, name) for name in _TOLD})

    def restore(self, folder: Path) -> None:
        """Take up a saved state, if there is one."""
        if not folder.is_dir():
            return
        with whole_tensors(folder, NO_STATE):
            said = read_json(folder / "progress.json")
            if said["stage"] != self.stage:
                self._enter(said["stage"])
            for name in _TOLD:
                setattr(self, name, said[name])
            take_up(self.model, load_file(folder / "learnt.safetensors"))
            restore_moments(self._named, self._optimiser, load_file(folder / "moments.safetensors"))
        log.info("going on from step %d", self.step)

    def _enter(self, stage: int) -> None:
        """Begin a stage: choose what learns."""
        if stage == 1:
            self.model.projector.requires_grad_(False)
            if not self.model.lora_state():
                self.model.add_lora(self._recipe.rank, self._recipe.first_layer, seed=self._recipe.seed)
            pairs = [(n, p) for n, p in self.model.lm.named_parameters() if "lora_" in n]
        else:
            pairs = list(self.model.projector.named_parameters())
        self.stage, self.since, self._named = stage, 0, pairs
        self._optimiser = torch.optim.AdamW([p for _, p in pairs], lr=self._recipe.learning_rate, weight_decay=0.0)


def learnt(model: SoftPromptModel) -> dict[str, torch.Tensor]:
    """All that training made, LoRA's factors too, by name."""
    own = {f"projector.{name}": value for name, value in model.projector.state_dict().items()}
    return {name: value.detach().cpu().contiguous() for name, value in {**own, **model.lora_state()}.items()}


def take_up(model: SoftPromptModel, saved: dict[str, torch.Tensor]) -> None:
    """Put back what `learnt` gave; LoRA must have been added."""
    own = {name.removeprefix("projector."): value for name, value in saved.items() if name.startswith("projector.")}
    model.projector.load_state_dict(own)
    model.lm.load_state_dict({name: value for name, value in saved.items() if "lora_" in name}, strict=False)


class _Watched:
    """Held-out texts on which a run shows what true vectors are worth above shuffled ones."""

    def __init__(self, held_out: Hidden, model: SoftPromptModel) -> None:
        short = [row for row, text in enumerate(held_out.pool.texts) if len(text.split()) <= _WATCHED_WORDS]
        rows = short[:_WATCHED]
        self._texts = [held_out.pool.texts[row] for row in rows]
        self._vectors = [held_out.vectors[row][None] for row in rows]
        self._model = model

    def measure(self) -> dict[str, float]:
        """Nats a token given the true vector, and another text's."""
        other = [*self._vectors[1:], *self._vectors[:1]]
        nats = {}
        for name, vectors in (("true", self._vectors), ("shuffled", other)):
            sums, counts = self._model.nats(vectors, DESCRIBE, self._texts).sum(0)
            nats[name] = float(sums / counts)
        gap = nats["shuffled"] - nats["true"]
        return {
            "validation_nats": round(nats["true"], 3),
            "shuffled_nats": round(nats["shuffled"], 3),
            "gap": round(gap, 3),
        }
