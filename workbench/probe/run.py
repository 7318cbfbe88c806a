"""run_probe: one task on one embedder's vectors, with floors, control, description length and curves."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Shaped

from workbench.core.errors import BadInput
from workbench.core.vectors import require_finite
from workbench.probe._bench import Bench
from workbench.probe._classes import measure_classes
from workbench.probe._estimators import text_probe
from workbench.probe._graded import measure_grades
from workbench.probe._labelled import Labelled
from workbench.probe._scoring import Resampler
from workbench.results.probe_scores import ProbeScores

__all__ = ["run_probe", "text_baseline"]


def run_probe(
    data: Labelled,
    vectors: Float[np.ndarray, "n d"],
    embedder: str = "unknown",
    *,
    text_predictions: Shaped[np.ndarray, " m"] | None = None,
    random_vectors: Float[np.ndarray, "n e"] | None = None,
    mlp: bool = False,
    seed: int = 0,
    device: str = "auto",
) -> ProbeScores:
    """Probe one attribute of n vectors; a result with one row. `ProbeScores.join` puts several together.

    The probe is scikit-learn's logistic regression (ridge where labels are graded) after standardising, its penalty
    tuned on the validation rows and refitted on them too. Beside its accuracy, balanced accuracy, macro F1 and AUC
    stand the majority class, TF-IDF (`text_predictions` as `text_baseline` gives them, or made here where there are
    texts), the same probe on `random_vectors`, those of a random encoder; a control task by hash of the group (Hewitt &
    Liang 2019); the online description length (Voita & Titov 2020); the learning curve; with `mlp`, a network of
    one hidden layer. (`layer_curve` has the score by layer.)

    Raises BadInput for shapes that do not fit and for NaN.
    """
    for name, table in (("vectors", vectors), ("random_vectors", random_vectors)):
        if table is not None:
            _require(table, data, name)
    if text_predictions is None:
        text_predictions = text_baseline(data)
    resampler = Resampler(data.groups_of(data.test), seed)
    bench = Bench(data, vectors, resampler, seed, device, embedder, text_predictions, random_vectors, mlp)
    row = (measure_classes if data.classes else measure_grades)(bench)
    return ProbeScores((row,), seed, left_out=(data.left_out,) if data.left_out else ())


def text_baseline(data: Labelled) -> Shaped[np.ndarray, " m"] | None:
    """What TF-IDF of the texts predicts for the test rows; None without texts.

    It belongs to the task, so one call serves all embedders.
    """
    if data.texts is None:
        return None
    texts = np.asarray(data.texts, dtype=object)
    probe = text_probe(data.split[data.learnt] == "validation", graded=not data.classes)
    return probe.fit(texts[data.learnt], data.labels[data.learnt]).predict(texts[data.test])


def _require(table: np.ndarray, data: Labelled, name: str) -> None:
    if table.ndim != 2 or len(table) != len(data.labels):
        raise BadInput(f"{name} has shape {table.shape} but {data.name} has {len(data.labels)} labels")
    require_finite(table, name)
