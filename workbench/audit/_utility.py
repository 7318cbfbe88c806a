"""What defended vectors are still good for: questions find their passages, paraphrases are told from others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.estimate import Estimate, auc, mean_share
from workbench.core.ranking import DEPTH, answers, cosines, unrelated
from workbench.core.vectors import unit
from workbench.data import pairs
from workbench.defend._defence import Defence
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors


@dataclass(frozen=True, eq=False)
class Utility:
    """Vectors of questions, of the passages that answer them (with their articles), and of pairs of paraphrases."""

    questions: Float[np.ndarray, "q d"]
    passages: Float[np.ndarray, "q d"]
    groups: tuple[str, ...]
    left: Float[np.ndarray, "p d"]
    right: Float[np.ndarray, "p d"]

    @classmethod
    def of(cls, embedder: Embedder, texts: int, seed: int = 0) -> Utility:
        """`texts` questions of SQuAD and pairs of Tatoeba, as `workbench embed --compare` draws them; cached."""
        found, same = pairs.retrieval(texts, seed), pairs.paraphrases(texts, seed)
        sides = (found.questions, found.passages, same.left, same.right)
        names = ("questions", "passages", "paraphrases", "paraphrases")
        one, two, left, right = (cached_vectors(embedder, side, name) for side, name in zip(sides, names, strict=True))
        return cls(one, two, found.groups, left, right)

    def measure(self, defence: Defence, random: np.random.Generator) -> Useful:
        """One release of the passages and of both sides; questions are asked by the rightful user."""
        found = answers(unit(defence.ask(self.questions)), unit(defence.apply(self.passages, random)))
        left, right = (unit(defence.apply(side, random)) for side in (self.left, self.right))
        return Useful(found.gain, found.hit, cosines(left, right), cosines(left, right[unrelated(len(left))]))


@dataclass(frozen=True, eq=False)
class Useful:
    """What each question and each pair came to."""

    gain: Float[np.ndarray, " q"]
    hit: Float[np.ndarray, " q"]
    close: Float[np.ndarray, " p"]
    apart: Float[np.ndarray, " p"]


@dataclass(frozen=True)
class UtilityScores:
    """Means over seeds."""

    ndcg: Estimate
    recall: Estimate
    paraphrase_auc: Estimate

    @classmethod
    def of(cls, utility: Utility, found: list[Useful], seed: int = 0) -> UtilityScores:
        """Questions are averaged over seeds before articles are resampled; of AUCs, value and limits are averaged."""
        areas = [auc(each.close, each.apart, seed) for each in found]
        value, low, high = (
            float(np.mean([getattr(area, name) for area in areas])) for name in ("value", "low", "high")
        )
        return cls(
            mean_share(np.mean([each.gain for each in found], axis=0), utility.groups, seed),
            mean_share(np.mean([each.hit for each in found], axis=0), utility.groups, seed),
            Estimate(value, low, high, areas[0].n, f"{areas[0].method}; mean of {len(areas)} seeds")
            if all(area.has_interval for area in areas)
            else Estimate.without_interval(value, areas[0].n, "1 item on a side"),
        )


def neighbours_kept(
    vectors: Float[np.ndarray, "n d"], queries: Float[np.ndarray, "n e"], defended: Float[np.ndarray, "n e"]
) -> Float[np.ndarray, " n"]:
    """Share of the 10 nearest neighbours of each vector, by cosine, that its query finds among the defended ones."""
    k = min(DEPTH, len(vectors) - 1)
    true, now = _nearest(vectors, vectors, k), _nearest(queries, defended, k)
    return np.array([len(np.intersect1d(a, b)) / k for a, b in zip(true, now, strict=True)])


def _nearest(queries: np.ndarray, store: np.ndarray, k: int) -> np.ndarray:
    near = unit(queries) @ unit(store).T
    np.fill_diagonal(near, -np.inf)  # a vector is not its own neighbour
    return np.argpartition(-near, k - 1, axis=1)[:, :k]
