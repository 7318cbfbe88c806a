"""Train a sparse autoencoder on stored vectors: resumable to the bit, measured on vectors that it never saw."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core import codec
from workbench.core.card import Card
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.core.files import write_json
from workbench.core.progress import progress
from workbench.embed._torch import pick_device
from workbench.jobs._run_folder import append_log, made_on, refuse_another
from workbench.jobs._sae_data import Parted, part
from workbench.jobs.sae_recipe import SaeRecipe
from workbench.probe._sae_fitter import SaeFitter
from workbench.probe._sparse_features import sparse_features
from workbench.probe.sparse_autoencoder import KIND, TopKAutoencoder
from workbench.results.sparse_features import SparseFeatures

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedSae:
    """The frozen autoencoder and what was measured of it."""

    autoencoder: TopKAutoencoder
    features: SparseFeatures


def train_sae(
    vectors: SetLike,
    recipe: SaeRecipe,
    folder: Path,
    device: str = "auto",
    save_every: int = 500,
    data: Sequence[Mapping[str, Any]] = (),
) -> TrainedSae:
    """Train, or go on with, the run in `folder`, and write there what came of it.

    The folder keeps `recipe.json`, `log.jsonl` (error, dead features, held-out variance explained), `state/` (replaced
    as a whole every `save_every` steps), and in the end `checkpoint/` (card.json and safetensors, which
    `TopKAutoencoder.load` opens) and `features.json` (the result). A run that was killed goes on from `state/` and ends
    with the same bits, on one machine's CPU. `data` is what the card says of the texts.

    Duplicates are left out, and the share `recipe.held_out` is never learnt from. Raises BadInput for too few vectors,
    for NaN, and for a folder that holds a run of another recipe or on other vectors.
    """
    vectors = EmbeddingSet.of(vectors)
    where, parted = pick_device(device), part(vectors, recipe.held_out)
    learnt = parted.learnt.vectors
    if len(learnt) < recipe.features:
        raise BadInput(
            f"{len(learnt)} vectors to learn {recipe.features} features from; expected at least as many: give more "
            "vectors, or ask for fewer features"
        )
    fitter = SaeFitter(learnt, recipe.features, recipe.k, recipe.dead_after, recipe.seed, where)
    _check_recipe(recipe, parted, folder)
    fitter.restore(folder / "state")
    _learn(fitter, recipe, parted, folder, save_every)
    spec = vectors.provenance
    autoencoder = fitter.freeze(spec.embedder, spec.revision)
    result = sparse_features(
        autoencoder,
        parted.learnt,
        parted.held_out,
        f"Sparse features of {spec.embedder} vectors",
        recipe.seed,
        fitter.seconds,
    )
    autoencoder.save(folder / "checkpoint", _card(folder.name, recipe, parted, fitter, result, where, data))
    result.save(folder / "features.json")
    return TrainedSae(autoencoder, result)


def _learn(fitter: SaeFitter, recipe: SaeRecipe, parted: Parted, folder: Path, save_every: int) -> None:
    """All steps that are still to be made."""
    learnt = parted.learnt.vectors
    batch = min(recipe.batch, len(learnt))
    each = len(learnt) // batch
    steps = recipe.epochs * each
    began, before = time.monotonic(), fitter.seconds
    order, drawn_for, error = np.empty(0, np.int64), -1, 0.0
    with progress("train sparse autoencoder", steps, "steps") as advance:
        advance(fitter.step)
        while fitter.step < steps:
            epoch, place = divmod(fitter.step, each)
            if drawn_for != epoch:
                order, drawn_for = np.random.default_rng([recipe.seed, epoch]).permutation(len(learnt)), epoch
            rows = order[place * batch : (place + 1) * batch]
            error = fitter.learn(learnt[rows], recipe.rate(fitter.step, steps))
            fitter.seconds = before + time.monotonic() - began
            advance(1)
            if fitter.step % save_every == 0 or fitter.step == steps:
                fitter.save(folder / "state")
                _write_log(fitter, error, parted, folder)


def _write_log(fitter: SaeFitter, error: float, parted: Parted, folder: Path) -> None:
    held_out = parted.held_out.vectors
    rebuilt = fitter.freeze("", "").reconstruct(held_out)
    centre = parted.learnt.vectors.mean(axis=0)
    share = 1 - float(((held_out - rebuilt) ** 2).sum() / ((held_out - centre) ** 2).sum())
    line = {
        "step": fitter.step,
        "seconds": round(fitter.seconds, 1),
        "error": round(error, 4),
        "held_out_explained": round(share, 4),
        "idle_features": fitter.dead,
    }
    append_log(log, folder, line)


def _check_recipe(recipe: SaeRecipe, parted: Parted, folder: Path) -> None:
    """Write the recipe of a new run; refuse to go on with a run of another recipe, or on other vectors."""
    digest = hashlib.blake2b(digest_size=16)
    for each in (parted.learnt, parted.held_out):
        digest.update(str(each.vectors.shape).encode() + each.vectors.tobytes())
    said = {**asdict(recipe), "vectors": digest.hexdigest()}
    path = folder / "recipe.json"
    if not path.exists():
        if folder.exists() and any(folder.iterdir()):
            raise BadInput(f"{folder} holds files, but no run; name a new folder")
        write_json(path, said)
        return
    refuse_another(said, folder)


def _card(
    name: str,
    recipe: SaeRecipe,
    parted: Parted,
    fitter: SaeFitter,
    result: SparseFeatures,
    device: str,
    data: Sequence[Mapping[str, Any]],
) -> Card:
    spec = parted.learnt.provenance
    return Card(
        name=name,
        kind=KIND,
        summary=f"{recipe.features:,} sparse features of {spec.embedder} vectors, at most {recipe.k} a vector",
        embedder=spec.embedder,
        embedder_revision=spec.revision,
        licence="Apache-2.0 for the weights; what the vectors were made from is listed under data",
        config={},
        data=tuple(data),
        training={
            "recipe": asdict(recipe),
            "steps": fitter.step,
            "seed": recipe.seed,
            "seconds": round(fitter.seconds),
            "vectors": len(parted.learnt),
            "held_out": len(parted.held_out),
            "duplicates_left_out": parted.duplicates,
            **made_on(device),
        },
        metrics=codec.encode(replace(result, rows=())),
        limits=(
            f"Only for vectors of {spec.embedder} with weights {spec.revision or 'unknown'}.",
            "Another seed finds other features: a feature is one way to cut the vectors up, not a fact about them.",
            "Words are names, not definitions; the AUC beside them says how far they hold on texts it never saw.",
        ),
    )
