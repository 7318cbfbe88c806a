"""Train a `hypothesis` inverter: from an embedder and a corpus to a checkpoint with its card.

The recipe: a decoder that starts from the embedder's own layers, conditioned by a first token, FiLM and a closed-form
bag of words; batches of texts of one length; AdamW with warm-up, a constant rate and a linear fall at the end.
"""

from __future__ import annotations

import json
import logging
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from workbench.core.errors import BadInput
from workbench.core.files import atomic_folder, read_json, write_json
from workbench.core.progress import progress
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._torch import pick_device
from workbench.jobs._training_data import Pairs, Source, batches, encode, gather
from workbench.lm import (
    ConditionedDecoder,
    DecoderConfig,
    TextModel,
    Vocabulary,
    fit_bag_of_words,
    generate,
    load_bag,
    save_bag,
)
from workbench.lm.vocabulary import EOS

if TYPE_CHECKING:
    from transformers import BertModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InverterRecipe:
    """All that decides the result of a training run; written into the run's folder and into the card."""

    embedder: str = "minilm"
    corpus: str = "conservative"
    texts: int = 400_000
    """Texts of the corpus' train split that are looked at; those over `max_tokens` are left out."""
    planted: int = 24_000
    """Records with planted personal data, from templates that no evaluation uses."""
    max_tokens: int = 34
    """Longest text, in the embedder's tokens, its specials included."""
    vocabulary: int = 12_000
    layers: int = 3
    steps: int = 8_000
    batch_tokens: int = 768
    learning_rate: float = 3e-4
    warmup: int = 300
    decay: float = 0.25
    """Share of the steps, at the end, in which the rate falls to nothing."""
    seed: int = 0

    def rate(self, step: int) -> float:
        """Learning rate at a step."""
        rising = (step + 1) / self.warmup if self.warmup else 1.0
        falling = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.learning_rate * min(1.0, rising, falling)


@dataclass(frozen=True)
class Trained:
    """The outcome of a run, ready for evaluation and shipping."""

    recipe: InverterRecipe
    model: TextModel
    embedder: Embedder
    sources: tuple[Source, ...]
    seconds: float
    device: str


def train_inverter(
    recipe: InverterRecipe, run: Path, device: str = "auto", save_every: int = 500, stop_after: float = math.inf
) -> Trained:
    """Train, or go on with, the run in the folder `run`; ends after `recipe.steps` or `stop_after` seconds.

    The folder keeps `recipe.json`, `log.jsonl` (loss, rate, speed, validation) and `state/` (weights and optimiser,
    replaced as a whole every `save_every` steps). A run that was killed goes on from `state/`; its recipe may differ
    in `steps` alone.
    """
    torch.manual_seed(recipe.seed)
    where = pick_device(device)
    _check_recipe(recipe, run)
    embedder = load_embedder(recipe.embedder, device)
    train = gather(embedder, recipe.corpus, "train", recipe.texts, recipe.planted, recipe.max_tokens, recipe.seed)
    held_out = gather(embedder, recipe.corpus, "validation", 600, 0, recipe.max_tokens, recipe.seed)
    model, pairs = _begin(recipe, run, embedder, train)
    validation = encode(held_out, model.vocabulary, recipe.max_tokens)
    log.info("%d texts, %d pieces in the vocabulary", len(pairs), len(model.vocabulary))

    decoder = model.decoder.to(where)
    optimiser = torch.optim.AdamW(
        decoder.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    step, seconds = _restore(run / "state", decoder, optimiser)
    began, before = time.monotonic(), seconds
    order = batches(pairs, recipe.batch_tokens, recipe.seed, start=step)
    window = _Window()
    with progress("train inverter", recipe.steps, "steps") as advance:
        advance(step)
        while step < recipe.steps and seconds - before < stop_after:
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(step)
            batch = next(order)
            loss = _loss(decoder, pairs, batch, where)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
            optimiser.step()
            step += 1
            seconds = before + time.monotonic() - began
            window.add(float(loss.detach()), len(batch))
            advance(1)
            if step % 100 == 0:
                _write_log(run, {"step": step, "rate": recipe.rate(step), "seconds": round(seconds), **window.take()})
            if step % save_every == 0 or step == recipe.steps or seconds - before >= stop_after:
                _write_log(run, {"step": step, "seconds": round(seconds), **_validate(model, validation, where)})
                _save_state(run / "state", decoder, optimiser, step, seconds)
    decoder.eval()
    return Trained(recipe, model, embedder, tuple(train), seconds, where)


def _check_recipe(recipe: InverterRecipe, run: Path) -> None:
    path = run / "recipe.json"
    if path.exists():
        former = InverterRecipe(**read_json(path))
        if replace(former, steps=recipe.steps) != recipe:
            changed = [key for key, value in asdict(former).items() if asdict(recipe)[key] != value and key != "steps"]
            raise BadInput(
                f"{run} holds a run with another {', '.join(changed)}; use another folder or the same recipe"
            )
    run.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(recipe))


def _start(embedder: Embedder) -> tuple[Path, BertModel]:
    """Folder and layers of the embedder's own transformer, which the vocabulary and the decoder start from."""
    from transformers import BertModel

    model = getattr(embedder, "model", None)
    first = model[0] if model is not None and hasattr(model, "__getitem__") else None
    bert = getattr(first, "auto_model", None)
    path = getattr(getattr(bert, "config", None), "name_or_path", "")
    if not path or not (Path(path) / "tokenizer.json").is_file():
        raise BadInput(
            f"{embedder.spec.name} is not a local BERT-like model, so a decoder cannot start from its layers"
        )
    if not isinstance(bert, BertModel):
        raise BadInput(f"{embedder.spec.name} is a {type(bert).__name__}; a decoder can start from a BertModel alone")
    return Path(path), bert


def _begin(recipe: InverterRecipe, run: Path, embedder: Embedder, train: list[Source]) -> tuple[TextModel, Pairs]:
    """The untrained model: vocabulary and bag of words (from the run's folder if it has them), decoder, and pairs."""
    (folder, start), fixed = _start(embedder), run / "fixed"
    begun = fixed.is_dir()
    if begun:
        _, vocabulary = load_bag(fixed)
    else:
        vocabulary = Vocabulary.cut(folder, [text for source in train for text in source.texts], recipe.vocabulary)
    pairs = encode(train, vocabulary, recipe.max_tokens)
    if not begun:
        fitted = fit_bag_of_words(pairs.vectors, pairs.ids, len(vocabulary), vocabulary.is_word)
        with atomic_folder(fixed) as temporary:
            save_bag(temporary, fitted, vocabulary)
    bag, vocabulary = load_bag(fixed)  # as it will be read on resume and by users: in bf16 precision
    decoder = ConditionedDecoder(
        DecoderConfig(
            dim=embedder.spec.dim,
            vocabulary=len(vocabulary),
            hidden=start.config.hidden_size,
            layers=recipe.layers,
            heads=start.config.num_attention_heads,
            inner=start.config.intermediate_size,
            max_tokens=recipe.max_tokens,
        )
    )
    decoder.start_from(start, vocabulary)
    decoder.set_bag_of_words(bag)
    frequency = np.bincount(np.concatenate(pairs.ids), minlength=len(vocabulary)) + 1.0
    with torch.no_grad():
        decoder.bias.copy_(torch.from_numpy(np.log(frequency / frequency.sum())))
    return TextModel(decoder, bag, vocabulary), pairs


def _loss(decoder: ConditionedDecoder, pairs: Pairs, batch: np.ndarray, device: str) -> Tensor:
    """Mean negative log-likelihood per piece, in nats, the end counted as a piece."""
    ids = torch.from_numpy(np.stack([pairs.ids[i] for i in batch])).to(device)
    vectors = torch.from_numpy(pairs.vectors[batch]).to(device)
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        logits = decoder(vectors, ids)
    targets = F.pad(ids, (0, 1), value=EOS)
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


@torch.inference_mode()
def _validate(model: TextModel, pairs: Pairs, device: str) -> dict[str, float]:
    """Early metrics on held-out text: nats per piece, and token F1 of greedy inversions of the first 64 texts."""
    decoder = model.decoder.eval()
    lengths = np.array([len(row) for row in pairs.ids])
    total, pieces = 0.0, 0
    for length in np.unique(lengths):
        batch = np.flatnonzero(lengths == length)
        count = len(batch) * (int(length) + 1)
        total += float(_loss(decoder, pairs, batch, device)) * count
        pieces += count
    shown = min(64, len(pairs))
    found = generate(decoder, torch.from_numpy(pairs.vectors[:shown]).to(device), beams=1)
    f1 = [_overlap(set(row.tolist()), set(best[0].ids)) for row, best in zip(pairs.ids, found, strict=False)]
    decoder.train()
    return {"validation_nats": round(total / pieces, 4), "validation_piece_f1": round(float(np.mean(f1)), 4)}


def _overlap(truth: set[int], guess: set[int]) -> float:
    return 2 * len(truth & guess) / max(1, len(truth) + len(guess))


class _Window:
    """Loss and speed since the last log line."""

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._texts, self._since = 0, time.monotonic()

    def add(self, loss: float, texts: int) -> None:
        self._losses.append(loss)
        self._texts += texts

    def take(self) -> dict[str, float]:
        speed = self._texts / (time.monotonic() - self._since)
        line = {"loss": round(float(np.mean(self._losses)), 4), "texts_per_second": round(speed, 1)}
        self.__init__()
        return line


def _write_log(run: Path, line: dict[str, Any]) -> None:
    with open(run / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    log.info("%s", line)


def _save_state(
    folder: Path, decoder: ConditionedDecoder, optimiser: torch.optim.AdamW, step: int, seconds: float
) -> None:
    """Weights and both moments of AdamW, as safetensors, in the order of the decoder's parameters."""
    moments = {}
    for name, parameter in decoder.named_parameters():
        for key in ("exp_avg", "exp_avg_sq"):
            moments[f"{key}.{name}"] = optimiser.state[parameter][key].cpu()
    with atomic_folder(folder) as temporary:
        save_file(
            {name: tensor.cpu().contiguous() for name, tensor in decoder.state_dict().items()},
            temporary / "decoder.safetensors",
        )
        save_file(moments, temporary / "moments.safetensors")
        write_json(temporary / "progress.json", {"step": step, "seconds": seconds})


def _restore(folder: Path, decoder: ConditionedDecoder, optimiser: torch.optim.AdamW) -> tuple[int, float]:
    """Take up a saved state in place; gives step and seconds, or zeros where there is none."""
    if not folder.is_dir():
        return 0, 0.0
    progress_so_far = read_json(folder / "progress.json")
    decoder.load_state_dict(load_file(folder / "decoder.safetensors"))
    moments = load_file(folder / "moments.safetensors")
    for name, parameter in decoder.named_parameters():
        optimiser.state[parameter] = {
            "step": torch.tensor(float(progress_so_far["step"])),
            "exp_avg": moments[f"exp_avg.{name}"].to(parameter.device),
            "exp_avg_sq": moments[f"exp_avg_sq.{name}"].to(parameter.device),
        }
    log.info("going on from step %d", progress_so_far["step"])
    return progress_so_far["step"], progress_so_far["seconds"]
