"""Which words stand in the hidden text: one closed-form ridge regression for all words at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import BadInput


@dataclass(frozen=True)
class BagOfWords:
    """Log-likelihood ratio of each word's presence, linear in the vector: `evidence = e @ weight + bias`.

    `prior` is the log-odds of presence before the vector is seen; `length` reads the number of words off the vector.
    """

    weight: Float[np.ndarray, "d v"]
    bias: Float[np.ndarray, " v"]
    prior: Float[np.ndarray, " v"]
    length: Float[np.ndarray, " d_plus_1"]

    def evidence(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n v"]:
        """Natural-log likelihood ratio, present against absent."""
        return vectors @ self.weight + self.bias

    def lengths(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Expected number of distinct words, at least 1."""
        return np.maximum(vectors @ self.length[:-1] + self.length[-1], 1.0)


def fit_bag_of_words(
    vectors: Float[np.ndarray, "n d"],
    ids: Sequence[Sequence[int] | Int[np.ndarray, " _"]],
    size: int,
    counted: Bool[np.ndarray, " v"] | None = None,
    ridge: float = 1e-3,
) -> BagOfWords:
    """Ridge regression from vectors to the presence of each of `size` words, then a Gaussian reading of its scores.

    For each word the scores of texts with it and of texts without it are taken as two normal distributions of one
    variance (linear discriminant analysis on one score); means and variances follow from the same second moments as
    the regression, so one pass over the data is all. `ridge` is relative to the mean variance of a dimension.
    `counted` marks the words that `length` counts (default: all).
    """
    from scipy.sparse import csr_matrix

    if len(vectors) != len(ids):
        raise BadInput(f"vectors has {len(vectors)} rows but ids has {len(ids)} texts")
    n, d = vectors.shape
    sets = [np.unique(np.asarray(row, dtype=np.int64)) for row in ids]
    ends = np.cumsum([0, *map(len, sets)])
    columns = np.concatenate(sets) if sets else np.empty(0, np.int64)
    present = csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(n, size))

    centre = vectors.mean(axis=0, dtype=np.float64)
    covariance = _second_moment(vectors) / n - np.outer(centre, centre)
    share = np.asarray(present.sum(axis=0), dtype=np.float64).ravel() / n
    cross = np.asarray((present.T @ vectors).T, dtype=np.float64) / n - np.outer(centre, share)  # d v
    penalty = ridge * np.trace(covariance) / d * np.eye(d)
    solved = np.linalg.solve(covariance + penalty, cross)  # d v: scores are (e - centre) @ solved

    share = np.clip(share, 0.5 / n, 1 - 0.5 / n)
    explained = (solved * cross).sum(axis=0)  # share * mean score of texts with the word
    variance = np.einsum("dv,de,ev->v", solved, covariance, solved, optimize=True)
    with_word, without = explained / share, -explained / (1 - share)
    within = np.maximum(variance - share * (1 - share) * (with_word - without) ** 2, 0.05 * variance) + 1e-8
    slope = (with_word - without) / within * (n * share / (n * share + 5.0))  # a word seen five times counts by half
    weight = solved * slope
    bias = -centre @ weight - slope * (with_word + without) / 2

    counts = np.diff(ends) if counted is None else np.array([counted[row].sum() for row in sets])
    moment = vectors.T.astype(np.float64) @ (counts - counts.mean()) / n
    length = np.linalg.solve(covariance + penalty, moment)
    return BagOfWords(
        weight.astype(np.float32),
        bias.astype(np.float32),
        np.log(share / (1 - share)).astype(np.float32),
        np.append(length, counts.mean() - centre @ length).astype(np.float32),
    )


def _second_moment(vectors: np.ndarray) -> np.ndarray:
    """Sum of outer products in float64, by blocks, so that no float64 copy of all vectors is made."""
    total = np.zeros((vectors.shape[1],) * 2)
    for start in range(0, len(vectors), 65536):
        block = vectors[start : start + 65536].astype(np.float64)
        total += block.T @ block
    return total
