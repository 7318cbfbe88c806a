"""The score of a linear probe by layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from workbench.core.estimate import Estimate
from workbench.probe._bench import Bench
from workbench.probe._labelled import Labelled
from workbench.probe._scoring import Resampler, score_graded

__all__ = ["layer_curve"]


def layer_curve(
    data: Labelled, layers: Mapping[int, Float[np.ndarray, "n h"]], seed: int = 0
) -> tuple[tuple[int, Estimate], ...]:
    """Accuracy (Spearman's correlation where graded) of a tuned linear probe on the n items' vectors at each layer."""
    resampler = Resampler(data.groups_of(data.test), seed)
    out = []
    for layer, vectors in sorted(layers.items()):
        bench = Bench(data, vectors, resampler, seed)
        found = bench.predicted(vectors)
        right = bench.share(found == bench.truth) if data.classes else None
        out.append((layer, right or score_graded(bench.truth.astype(np.float64), found, resampler).correlation))
    return tuple(out)
