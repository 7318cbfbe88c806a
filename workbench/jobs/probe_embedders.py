"""Probe embedders: tasks x embedders, saved after each, with texts embedded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from workbench.core.errors import BadInput, WorkbenchError
from workbench.core.progress import progress
from workbench.data.tasks import load_task, task_card
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.embed._layer_vectors import layer_vectors
from workbench.embed._random import random_encoder
from workbench.embed._vector_cache import cached_vectors
from workbench.probe import Labelled, run_probe, text_baseline
from workbench.results.probe_scores import ProbeScores

LAYER_ITEMS = 1000
"""Training items of the layer curve, for which every text is read at every layer."""


@dataclass(frozen=True)
class ProbeOptions:
    """What to measure beside the probe itself."""

    limit: int = 0
    """Most training items a task, and a quarter as many to validate and to test; 0: as many as the task has."""
    random_encoder: bool = True
    layers: bool = False
    mlp: bool = False
    seed: int = 0


def probe_embedders(
    embedders: Sequence[str],
    tasks: Sequence[str],
    options: ProbeOptions = ProbeOptions(),
    device: str = "auto",
    out: Path | None = None,
) -> ProbeScores:
    """Every task on every embedder. With `out` (a JSON file) the result is saved after each row, and rows that the file
    already holds are not measured again. A task that cannot be had is reported among the failures.

    Raises BadInput where `out` was measured with another seed, UnknownName for embedders and tasks.
    """
    for name in tasks:
        task_card(name)  # an unknown name ends all before any work
    result = ProbeScores((), options.seed, options.limit)
    if out is not None and out.exists():
        former = ProbeScores.load(out)
        assert isinstance(former, ProbeScores)
        if (former.seed, former.limit) != (options.seed, options.limit):
            how = f"with seed {former.seed} and limit {former.limit}"
            raise BadInput(f"{out} was measured {how}; do the same, or choose another file")
        result = replace(former, failures=())

    @cache
    def task(name: str) -> tuple[Labelled, np.ndarray | None]:
        data = Labelled.of(load_task(name)).limited(options.limit)
        with threadpool_limits(1):
            return data, text_baseline(data)

    with progress("probe", len(embedders) * len(tasks), "probes") as advance:
        for name in embedders:
            missing = [each for each in tasks if not any((r.task, r.embedder) == (each, name) for r in result.rows)]
            advance(len(tasks) - len(missing))
            model = _Model(load_embedder(name, device), options) if missing else None
            for each in missing:
                assert model is not None
                try:
                    part = model.probe(*task(each), name, device)
                except WorkbenchError as error:
                    part = ProbeScores((), failures=((each, str(error)),))
                result = ProbeScores.join([result, part])
                if out is not None:
                    result.save(out)
                advance(1)
    order = {pair: place for place, pair in enumerate((n, t) for n in embedders for t in tasks)}
    rows = [row for row in result.rows if (row.embedder, row.task) in order]
    return replace(result, rows=tuple(sorted(rows, key=lambda row: order[row.embedder, row.task])))


class _Model:
    """An embedder with its random twin, which is made when first asked for."""

    def __init__(self, embedder: Embedder, options: ProbeOptions) -> None:
        self._embedder, self._options = embedder, options
        self._twin: Embedder | None = None

    def probe(self, data: Labelled, text_predictions: np.ndarray | None, name: str, device: str) -> ProbeScores:
        assert data.texts is not None
        options = self._options
        drawn = None
        if options.random_encoder:
            self._twin = self._twin or random_encoder(self._embedder, options.seed)
            drawn = cached_vectors(self._twin, data.texts, f"{data.name}, random encoder")
        vectors = cached_vectors(self._embedder, data.texts, data.name)
        with threadpool_limits(1):  # on fits this small, threads wait for each other more than they work
            scores = run_probe(
                data,
                vectors,
                name,
                text_predictions=text_predictions,
                random_vectors=drawn,
                mlp=options.mlp,
                seed=options.seed,
                device=device,
            )
        return self._with_layers(scores, data) if options.layers else scores

    def _with_layers(self, scores: ProbeScores, data: Labelled) -> ProbeScores:
        if not isinstance(self._embedder, GradEmbedder):
            return scores
        from workbench.probe import layer_curve

        fewer = data.limited(LAYER_ITEMS)
        assert fewer.texts is not None
        curve = layer_curve(fewer, layer_vectors(self._embedder, fewer.texts), self._options.seed)
        return replace(scores, rows=(replace(scores.rows[0], layers=curve),))
