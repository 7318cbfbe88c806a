"""Train an inverter: from an embedder and a corpus to a model, resumable, on one device or under `accelerate launch`.

The recipe: a decoder that starts from BERT layers, conditioned by a first token, FiLM and a closed-form bag of words;
batches of texts of one length; AdamW with warm-up and a cosine; a running mean of the weights; if asked, batches in
which the model rewrites drafts of its own (correction), or sees defended vectors (the adaptive attacker).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from workbench.core.files import atomic_folder, read_json, write_json
from workbench.core.progress import progress
from workbench.core.tensors import NO_STATE, whole_tensors
from workbench.defend import open_defence
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._torch import pick_device, plain_attention
from workbench.jobs._begin_inverter import begin
from workbench.jobs._early_metrics import EarlyMetrics, loss_of
from workbench.jobs._lessons import Lesson, Lessons
from workbench.jobs._moments import moments_of, restore_moments
from workbench.jobs._ranks import Ranks
from workbench.jobs._renewal import Renewal
from workbench.jobs._run_folder import Finished, append_log, refuse_another, validation_curve
from workbench.jobs._training_data import Source, encode, gather
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.lm import ConditionedDecoder, TextDecoder, TextModel
from workbench.lm._blocks import Block

log = logging.getLogger(__name__)
_HELD_OUT = 600


@dataclass(frozen=True)
class Trained(Finished):
    """A trained inverter, ready for evaluation and shipping."""

    recipe: InverterRecipe
    model: TextModel
    embedder: Embedder
    sources: tuple[Source, ...]


def train_inverter(
    recipe: InverterRecipe, run: Path, device: str = "auto", save_every: int = 500, stop_after: float = math.inf
) -> Trained:
    """Train, or go on with, the run in the folder `run`; ends as the recipe says, or after `stop_after` seconds.

    The folder keeps `recipe.json`, `log.jsonl` (loss, rate, speed, held-out metrics beside the floors), `samples.txt`
    and `state/` (weights and optimiser, replaced as a whole every `save_every` steps). A run that was killed goes on
    from `state/` as if nothing had been; its recipe may differ in `steps` and `minutes` alone. The processes that
    `accelerate launch` starts share each step's batches; two learn what one does with twice the `accumulate`.
    """
    torch.manual_seed(recipe.seed)
    where = pick_device(device)
    ranks = Ranks(where)
    defence = open_defence(recipe.disturb) if recipe.disturb else None
    refuse_another(asdict(recipe), run, ("steps", "minutes"))
    embedder = load_embedder(recipe.embedder, device)
    limits = recipe.max_tokens, recipe.seed
    with ranks.one_first():
        train = gather(
            embedder, recipe.corpus, "train", recipe.texts, recipe.planted, *limits, recipe.skip, recipe.long
        )
        held_out = gather(embedder, recipe.corpus, "validation", _HELD_OUT, 0, *limits)
        model, pairs = begin(recipe, run, embedder, train)
    watched = EarlyMetrics(encode(held_out, model.vocabulary, recipe.max_tokens), embedder)
    if ranks.leads:
        write_json(run / "recipe.json", asdict(recipe))
        watched.measure_floors(model, train)
        log.info("%d texts, %d pieces in the vocabulary", len(pairs), len(model.vocabulary))

    renewal = None
    if recipe.renewed:
        assert isinstance(model.decoder, ConditionedDecoder)
        renewal = Renewal(model.vocabulary, model.decoder.words.weight)  # of the first weights, after a resume too
    state = _State(model.decoder.to(where), recipe, where, ranks)
    state.restore(run / "state")
    began, before = time.monotonic(), state.seconds
    cpu_began, cpu_before = time.process_time(), state.cpu_seconds
    lessons = Lessons(recipe, pairs, model, embedder, defence, where, state.step, ranks.rank, ranks.world, renewal)
    window = _Window()

    def over() -> bool:
        return recipe.done(state.step, state.seconds) >= 1 or state.seconds - before >= stop_after

    with progress("train inverter", recipe.steps, "steps") as advance:
        advance(state.step)
        while not over():
            step = lessons.at(state.step, recipe.done(state.step, state.seconds))
            loss = state.learn(step)
            state.seconds = ranks.same(before + time.monotonic() - began)
            state.cpu_seconds = cpu_before + time.process_time() - cpu_began
            advance(1)
            if not ranks.leads:
                continue
            window.add(loss, step)
            if state.step % 100 == 0:
                rate = recipe.rate(state.step, state.seconds)
                append_log(
                    log, run, {"step": state.step, "rate": rate, "seconds": round(state.seconds), **window.take()}
                )
            if state.step % save_every == 0 or over():
                metrics, samples = watched.measure(model, state.averaged, where)
                append_log(log, run, {"step": state.step, "seconds": round(state.seconds), **metrics})
                _write_samples(run, state.step, samples)
                state.save(run / "state")
    ranks.wait()
    finished = replace(model, decoder=state.averaged.eval())
    return Trained(
        recipe,
        finished,
        embedder,
        tuple(train),
        steps=state.step,
        seconds=state.seconds,
        cpu_seconds=state.cpu_seconds,
        device=where,
        curve=validation_curve(run),
        leads=ranks.leads,
    )


class _State:
    """Weights, their running mean, the optimiser and the count of steps: all that a resumed run needs."""

    def __init__(self, decoder: TextDecoder, recipe: InverterRecipe, device: str, ranks: Ranks) -> None:
        from torch.optim.swa_utils import AveragedModel

        self._recipe, self._device, self._ranks = recipe, device, ranks
        self.decoder = decoder
        for part in decoder.modules():
            if isinstance(part, Block):
                part.dropout = recipe.dropout
        self._optimiser = torch.optim.AdamW(
            decoder.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        self._mean = AveragedModel(decoder, multi_avg_fn=_running_mean(recipe.ema)) if recipe.ema else None
        self.step, self.seconds, self.cpu_seconds = 0, 0.0, 0.0

    @property
    def averaged(self) -> TextDecoder:
        """The weights that are measured and shipped."""
        found = self.decoder if self._mean is None else self._mean.module
        assert isinstance(found, TextDecoder)
        return found

    def learn(self, lessons: Sequence[Lesson]) -> torch.Tensor:
        """One step over this process' share of its batches; gives their mean loss, which is not waited for."""
        for group in self._optimiser.param_groups:
            group["lr"] = self._recipe.rate(self.step, self.seconds)
        self.decoder.train()
        self._optimiser.zero_grad(set_to_none=True)
        losses = []
        for lesson in lessons:
            torch.manual_seed(lesson.seed)  # dropout after a resume is what it would have been
            attention = nullcontext() if self._device.startswith("cuda") else plain_attention()
            with self._ranks.autocast(), attention:
                loss = loss_of(self.decoder, lesson.vectors, lesson.ids, lesson.draft, self._device) / len(lessons)
            loss.backward()
            losses.append(loss.detach())
        self._ranks.average(self.decoder.parameters())
        torch.nn.utils.clip_grad_norm_(self.decoder.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        if self._mean is not None:
            self._mean.update_parameters(self.decoder)
        return torch.stack(losses).sum()

    def save(self, folder: Path) -> None:
        """Weights, running mean and both moments of AdamW as safetensors; whole or not at all."""
        moments = moments_of(self.decoder.named_parameters(), self._optimiser)
        with atomic_folder(folder) as temporary:
            save_file(_plain(self.decoder), temporary / "decoder.safetensors")
            save_file(_plain(self.averaged), temporary / "averaged.safetensors")
            save_file(moments, temporary / "moments.safetensors")
            write_json(
                temporary / "progress.json",
                {"step": self.step, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds},
            )

    def restore(self, folder: Path) -> None:
        """Take up a saved state in place, if there is one."""
        if not folder.is_dir():
            return
        with whole_tensors(folder, NO_STATE):
            said = read_json(folder / "progress.json")
            self.step, self.seconds, self.cpu_seconds = said["step"], said["seconds"], said["cpu_seconds"]
            self.decoder.load_state_dict(load_file(folder / "decoder.safetensors"))
            if self._mean is not None:
                self._mean.module.load_state_dict(load_file(folder / "averaged.safetensors"))
                self._mean.n_averaged.fill_(self.step)
            moments = load_file(folder / "moments.safetensors")
            restore_moments(self.decoder.named_parameters(), self._optimiser, moments)
        log.info("going on from step %d", self.step)


def _running_mean(decay: float) -> Any:
    """An exponential mean that forgets its beginning quickly at first, as TensorFlow's and timm's do."""

    @torch.no_grad()
    def update(mean: list[torch.Tensor], new: list[torch.Tensor], count: torch.Tensor) -> None:
        weight = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(mean, new, weight)  # pyright: ignore[reportPrivateImportUsage]

    return update


def _plain(decoder: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in decoder.state_dict().items()}


class _Window:
    """Loss and speed since the last log line, plain batches and drafts apart."""

    def __init__(self) -> None:
        self._losses: dict[bool, list[torch.Tensor]] = {False: [], True: []}
        self._texts, self._since = 0, time.monotonic()

    def add(self, loss: torch.Tensor, step: Sequence[Lesson]) -> None:
        self._losses[step[0].draft is not None].append(loss)
        self._texts += sum(len(lesson.ids) for lesson in step)

    def take(self) -> dict[str, float]:
        names = {False: "loss", True: "correction_loss"}
        line = {names[key]: round(float(torch.stack(each).mean()), 4) for key, each in self._losses.items() if each}
        speed = self._texts / (time.monotonic() - self._since)
        self.__init__()
        return {**line, "texts_per_second": round(speed, 1)}


def _write_samples(run: Path, step: int, samples: list[str]) -> None:
    with open(run / "samples.txt", "a", encoding="utf-8") as file:
        file.writelines(f"{step}  {sample}\n" for sample in samples)
    for sample in samples:
        log.info("%s", sample)
