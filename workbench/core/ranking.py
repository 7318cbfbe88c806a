"""What vectors are good for: the passage that answers a question is found, and paraphrases are told from others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

DEPTH = 10
"""How far down the ranking is looked."""


@dataclass(frozen=True, eq=False)
class Answers:
    """For each of n questions, what the place of its passage is worth. Means of them are nDCG@10 and recall@10."""

    gain: Float[np.ndarray, " n"]
    """1 / log2(2 + passages above it), 0 beyond the first 10."""
    hit: Float[np.ndarray, " n"]
    """1 where it is among the first 10."""


def answers(questions: Float[np.ndarray, "n d"], passages: Float[np.ndarray, "n d"]) -> Answers:
    """Rank n passages for n questions by dot product (of unit vectors: cosine); passage i answers question i alone."""
    above = ranks(questions, passages)
    hit = above < DEPTH
    return Answers(np.where(hit, 1 / np.log2(2.0 + above), 0.0), hit.astype(float))


def ranks(questions: Float[np.ndarray, "n d"], passages: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
    """How many passages stand above, or level with, the one that answers each question."""
    scores = questions @ passages.T
    return (scores >= np.diag(scores)[:, None]).sum(1) - 1


def cosines(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    """Of n pairs of unit vectors, in double precision."""
    return np.einsum("nd,nd->n", a, b).astype(np.float64)


def unrelated(rows: int, seed: int = 0) -> Int[np.ndarray, " n"]:
    """For each of `rows` pairs the row of another one, each once, so that no sentence meets its own paraphrase."""
    apart = np.random.default_rng(seed).permutation(rows)
    return np.roll(apart, 1)[np.argsort(apart)]
