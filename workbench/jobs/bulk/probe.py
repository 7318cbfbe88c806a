"""Vectors into what linear probes read off them"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from safetensors.numpy import load_file, save_file
from threadpoolctl import threadpool_limits

from workbench.core.errors import BadInput
from workbench.core.files import atomic_path, inside, read_json, sha256_of, write_json
from workbench.data.tasks import load_task
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.jobs.bulk._stage import Recipe, VectorStage, facts_of
from workbench.probe import Labelled
from workbench.probe._estimators import linear_probe, ridge_probe

__all__ = ["Probe"]

_FOLDER, _CARD = "probes", "card.json"


class Probe(VectorStage):
    """For each task the class that its probe gives to a `vector` and the probability of it, or the grade.

    Probes are fitted once, before any worker begins, on the task's train and validation texts as the run's embedder
    embeds them, and lie in the run's folder (`probes`) as safetensors and JSON.
    """

    part_rows: ClassVar[int] = 16384
    batch_rows: ClassVar[int] = 2048

    @classmethod
    def prepare(cls, recipe: Recipe, out: Path, device: str) -> None:
        """Fit the probes that the folder lacks."""
        folder = out / _FOLDER
        if (folder / _CARD).is_file():
            return
        embedder = load_embedder(recipe["embedder"], device)
        card: dict[str, Any] = {"facts": facts_of(embedder), "classes": {}, "sha256": {}}
        for name in recipe["tasks"]:
            data = Labelled.of(load_task(name)).limited(recipe["limit"])
            assert data.texts is not None
            learnt = data.learnt
            vectors = cached_vectors(embedder, [data.texts[row] for row in learnt], name)
            path = folder / f"{data.name}.safetensors"
            with atomic_path(path) as temporary:
                save_file(_fitted(data, vectors, recipe["seed"]), temporary)
            card["classes"][data.name] = list(data.classes)
            card["sha256"][data.name] = sha256_of(path)
        write_json(folder / _CARD, card)  # last: with it the folder is whole

    def __init__(self, recipe: Recipe, out: Path, device: str) -> None:
        card = read_json(out / _FOLDER / _CARD)
        self._classes: dict[str, list[str]] = card["classes"]
        paths = {name: inside(out / _FOLDER, f"{name}.safetensors") for name in self._classes}
        for name, path in paths.items():
            if not path.is_file() or sha256_of(path) != card["sha256"][name]:
                raise BadInput(f"{path} is not what {_CARD} beside it says; choose a new folder to write to")
        self._weights = {name: load_file(path) for name, path in paths.items()}
        self.facts = {**card["facts"], "probes": card["sha256"]}
        self.dim = card["facts"]["dim"]
        columns: dict[str, pa.DataType] = {}
        for name, classes in self._classes.items():
            columns |= {name: pa.string(), f"{name}.probability": pa.float32()} if classes else {name: pa.float32()}
        self.schema = pa.schema(columns)

    def run(self, table: pa.Table) -> pa.Table:
        """Scores of every task."""
        vectors = self.vectors(table).astype(np.float64)
        columns: list[pa.Array] = []
        for name, classes in self._classes.items():
            scores = _scores(self._weights[name], vectors)
            if not classes:
                columns.append(pa.array(scores[:, 0].astype(np.float32)))
                continue
            chances = _chances(scores)
            best = chances.argmax(1)
            columns.append(pa.array([classes[code] for code in best], pa.string()))
            columns.append(pa.array(chances[np.arange(len(best)), best].astype(np.float32)))
        return pa.table(columns, schema=self.schema)


def _fitted(data: Labelled, vectors: Float[np.ndarray, "n d"], seed: int) -> dict[str, np.ndarray]:
    """The tuned probe as one affine map, the standardising folded in: `weight` (k, d) and `bias` (k,)."""
    learnt = data.learnt
    validation = data.split[learnt] == "validation"
    probe = linear_probe(validation, seed) if data.classes else ridge_probe(validation)
    with threadpool_limits(1):
        scaler, last = (step for _, step in probe.fit(vectors, data.labels[learnt]).best_estimator_.steps)
    weight = np.atleast_2d(last.coef_) / scaler.scale_
    bias = np.atleast_1d(last.intercept_) - weight @ scaler.mean_
    if data.classes and len(data.classes) == 2:  # scikit-learn keeps the second class' score alone
        weight, bias = np.concatenate([np.zeros_like(weight), weight]), np.concatenate([np.zeros_like(bias), bias])
    return {"weight": np.ascontiguousarray(weight), "bias": np.ascontiguousarray(bias)}


def _scores(probe: dict[str, np.ndarray], vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
    """Row by row: a matrix product may take another order of sums for another number of rows."""
    return np.einsum("nd,kd->nk", vectors, probe["weight"]) + probe["bias"]


def _chances(scores: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    shifted = np.exp(scores - scores.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)
