"""What the measurements of one task share: fitted probes, shares with intervals, gains with p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from workbench.core.claims import sign_flip
from workbench.core.estimate import Estimate
from workbench.probe._estimators import linear_probe, ridge_probe
from workbench.probe._labelled import Labelled
from workbench.probe._scoring import Resampler
from workbench.results.probe_scores import Gain


@dataclass(frozen=True)
class Bench:
    """One task with one embedder's vectors, and what they are compared with."""

    data: Labelled
    vectors: Float[np.ndarray, "n d"]
    resampler: Resampler
    seed: int = 0
    device: str = "auto"
    embedder: str = "unknown"
    text_predictions: Shaped[np.ndarray, " m"] | None = None
    random_vectors: Float[np.ndarray, "n e"] | None = None
    mlp: bool = False

    @property
    def truth(self) -> Shaped[np.ndarray, " m"]:
        """Labels of the test rows."""
        return self.data.labels[self.data.test]

    def common(self) -> dict[str, Any]:
        """Fields of TaskScores that do not depend on the kind of labels."""
        return {
            "task": self.data.name,
            "embedder": self.embedder,
            "family": self.data.family,
            "classes": self.data.classes,
            "train": len(self.data.learnt),
            "test": len(self.data.test),
            "groups": self.resampler.count,
            "silver": self.data.silver,
        }

    def fitted(self, vectors: Float[np.ndarray, "n d"]) -> Any:
        """The tuned linear probe of some vectors."""
        learnt = self.data.learnt
        validation = self.data.split[learnt] == "validation"
        probe = linear_probe(validation, self.seed) if self.data.classes else ridge_probe(validation)
        return probe.fit(vectors[learnt], self.data.labels[learnt])

    def predicted(self, vectors: Float[np.ndarray, "n d"]) -> Shaped[np.ndarray, " m"]:
        """What the linear probe of some vectors says of the test rows."""
        return self.fitted(vectors).predict(vectors[self.data.test])

    def floors(self) -> dict[str, Shaped[np.ndarray, " m"]]:
        """Predictions of the text baseline and of the random encoder, where there are any."""
        found = {} if self.text_predictions is None else {"TF-IDF": self.text_predictions}
        if self.random_vectors is not None:
            found["random encoder"] = self.predicted(self.random_vectors)
        return found

    def share(self, right: Shaped[np.ndarray, " m"]) -> Estimate:
        """Share of test rows, or mean of numbers from 0 to 1."""
        return self.resampler.share(right.astype(np.float64))

    def gain(self, over: str, gains: Float[np.ndarray, " m"]) -> Gain:
        """Paired differences of the test rows, and whether they are above 0 on the whole."""
        return Gain(over, float(gains.mean()), sign_flip(gains, self.resampler.names, self.seed))
