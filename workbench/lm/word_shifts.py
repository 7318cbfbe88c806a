"""How a vector moves when a piece comes or goes: one closed-form ridge regression from texts to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import BadInput

POWER = 0.5
"""A text of t pieces is read as the sum of its pieces' rows over t ** POWER, the power that explains vectors best."""


@dataclass(frozen=True)
class WordShifts:
    """`vector(text) ~ mean + sum over its pieces of shift[piece] / t ** POWER`, for vectors of unit length.

    The mirror of the bag of words: that reads words off a vector, this foretells the vector of words. It ranks edits
    before the embedder is asked.
    """

    shift: Float[np.ndarray, "v d"]
    mean: Float[np.ndarray, " d"]

    def foretell(self, ids: Sequence[Sequence[int]]) -> Float[np.ndarray, "n d"]:
        """Vectors (not normalised) of texts given as pieces."""
        return np.stack([self.mean + self.shift[list(row)].sum(0) / max(len(row), 1) ** POWER for row in ids])


def fit_word_shifts(
    vectors: Float[np.ndarray, "n d"],
    ids: Sequence[Sequence[int] | Int[np.ndarray, " _"]],
    size: int,
    ridge: float = 1.0,
) -> WordShifts:
    """Least squares over n texts; `ridge` counts as so many texts that hold a piece alone and lie at the mean."""
    from scipy.linalg import cho_factor, cho_solve
    from scipy.sparse import csr_matrix

    if len(vectors) != len(ids):
        raise BadInput(f"vectors has {len(vectors)} rows but ids has {len(ids)} texts")
    lengths = np.array([len(row) for row in ids])
    ends = np.concatenate([[0], np.cumsum(lengths)])
    columns = np.concatenate([np.asarray(row, dtype=np.int64) for row in ids])
    weights = np.repeat(1 / np.maximum(lengths, 1) ** POWER, lengths).astype(np.float32)
    counts = csr_matrix((weights, columns, ends), shape=(len(ids), size))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = unit.mean(axis=0, dtype=np.float64)
    gram = np.asarray((counts.T @ counts).todense(), dtype=np.float32)
    gram[np.diag_indices(size)] += ridge
    moved = np.asarray(counts.T @ (unit - mean).astype(np.float32))
    shift = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), moved)
    return WordShifts(shift.astype(np.float32), mean.astype(np.float32))
