"""All measurements of a task whose labels are classes."""

from __future__ import annotations

import numpy as np

from workbench.core.estimate import Estimate
from workbench.probe._bench import Bench
from workbench.probe._control import control_accuracy
from workbench.probe._estimators import mlp_probe
from workbench.probe._online import online_codelength
from workbench.probe._scoring import score
from workbench.results.probe_scores import TaskScores


def measure_classes(bench: Bench) -> TaskScores:
    """Accuracy and its kin, floors, control, description length, learning curve."""
    data, k, truth = bench.data, len(bench.data.classes), bench.truth
    probe = bench.fitted(bench.vectors)
    penalty = float(probe.best_params_["logisticregression__C"])
    chances = np.zeros((len(truth), k))
    chances[:, probe.classes_] = probe.predict_proba(bench.vectors[data.test])
    right = (chances.argmax(1) == truth).astype(np.float64)
    scores = score(truth, chances, bench.resampler)
    usual = np.full(len(truth), np.bincount(data.labels[data.learnt], minlength=k).argmax())
    floors = {"majority": usual, **bench.floors()}
    shown = {name: bench.share(other == truth) for name, other in floors.items()}
    control = control_accuracy(
        *(bench.vectors[data.learnt], bench.vectors[data.test]),
        *(data.groups_of(data.learnt), data.groups_of(data.test)),
        *(k, penalty, bench.seed, bench.device),
    )
    train, validation = data.split == "train", data.split == "validation"
    code = online_codelength(
        *(bench.vectors[train], data.labels[train], k, (bench.vectors[validation], data.labels[validation])),
        *(bench.vectors[data.test], bench.seed, bench.device),
    )
    return TaskScores(
        **bench.common(),
        chance=1 / k,
        score=scores.accuracy,
        balanced=scores.balanced,
        macro_f1=scores.macro_f1,
        auc=scores.auc,
        r2=None,
        majority=shown["majority"],
        tfidf=shown.get("TF-IDF"),
        random_encoder=shown.get("random encoder"),
        mlp=_mlp(bench) if bench.mlp else None,
        control=bench.share(control),
        control_chance=1 / k,
        penalty=penalty,
        bits_per_label=code.bits / int(train.sum()),
        compression=code.against_uniform,
        entropy_compression=code.against_entropy,
        curve=tuple((seen, bench.share(found.argmax(1) == truth)) for seen, found in code.curve),
        gains=tuple(bench.gain(name, right - (other == truth)) for name, other in floors.items()),
    )


def _mlp(bench: Bench) -> Estimate:
    data = bench.data
    probe = mlp_probe(bench.seed).fit(bench.vectors[data.learnt], data.labels[data.learnt])
    return bench.share(probe.predict(bench.vectors[data.test]) == bench.truth)
