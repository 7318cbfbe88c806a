"""All measurements of a task whose labels are grades."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from workbench.core import estimate
from workbench.core.estimate import Estimate
from workbench.probe._bench import Bench
from workbench.probe._control import control_draws
from workbench.probe._scoring import score_graded
from workbench.results.probe_scores import TaskScores

_DRAWS = 20


def measure_grades(bench: Bench) -> TaskScores:
    """Spearman's correlation and R2, floors, control. Description lengths are for classes."""
    truth = bench.truth.astype(np.float64)
    probe = bench.fitted(bench.vectors)
    predicted = probe.predict(bench.vectors[bench.data.test])
    scores = score_graded(truth, predicted, bench.resampler)
    floors = bench.floors()
    shown = {name: score_graded(truth, other, bench.resampler).correlation for name, other in floors.items()}
    standing, own = _ranks(truth), _ranks(predicted)
    rivals = {"majority": np.zeros_like(own)} | {name: _ranks(other) for name, other in floors.items()}
    penalty = float(probe.best_params_["ridge__alpha"])
    return TaskScores(
        **bench.common(),
        chance=0.0,
        score=scores.correlation,
        balanced=None,
        macro_f1=None,
        auc=None,
        r2=scores.r2,
        majority=Estimate(0.0, 0.0, 0.0, bench.resampler.count, "a constant has no correlation"),
        tfidf=shown.get("TF-IDF"),
        random_encoder=shown.get("random encoder"),
        mlp=None,
        control=_control(bench, penalty),
        control_chance=0.0,
        penalty=penalty,
        bits_per_label=None,
        compression=None,
        entropy_compression=None,
        gains=tuple(bench.gain(name, standing * (own - other)) for name, other in rivals.items()),
    )


def _control(bench: Bench, penalty: float) -> Estimate:
    """Mean correlation with normal grades that a hash of the group draws."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = bench.data
    wanted, truth = (control_draws(data.groups_of(rows), _DRAWS, bench.seed) for rows in (data.learnt, data.test))
    probe = make_pipeline(StandardScaler(), Ridge(alpha=penalty)).fit(bench.vectors[data.learnt], wanted)
    found = probe.predict(bench.vectors[data.test])
    products = np.stack([_ranks(a) * _ranks(b) for a, b in zip(truth.T, found.T, strict=True)])
    return estimate.mean(products.mean(0), bench.resampler.names)


def _ranks(values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Ranks with mean 0 and variance 1, so that the mean product of two is Spearman's correlation."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    spread = ranks.std()
    return (ranks - ranks.mean()) / spread if spread > 0 else np.zeros_like(ranks)
