"""Names for features: the words that their top texts use more than all others do, and how well the words foretell them.

Words are named on one part of the texts and checked on another, because any feature's top texts share some word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core import estimate
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.core.text import words as words_of

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

    from workbench.probe.sparse_autoencoder import SparseCodes

_PRIOR = 500.0
"""Weight of the prior in words, as much as some thirty sentences; in small sets a tenth of all words."""
_LEAST = 1.96
"""Words whose z-score is lower are no name."""


@dataclass(frozen=True, eq=False)
class FeatureNames:
    """Of each of m features its words, the most telling first, with their z-scores. `words` is the whole vocabulary."""

    words: tuple[str, ...]
    places: tuple[Int[np.ndarray, " _"], ...]
    scores: tuple[Float[np.ndarray, " _"], ...]

    def of(self, feature: int) -> tuple[tuple[str, float], ...]:
        """Words of one feature with their z-scores."""
        pairs = zip(self.places[feature], self.scores[feature], strict=True)
        return tuple((self.words[place], float(score)) for place, score in pairs)

    def foretell(self, texts: Sequence[str]) -> csc_matrix:
        """For each text and feature (n m) the sum of the z-scores of the feature's words that stand in the text."""
        from scipy.sparse import csr_matrix

        ends = np.cumsum([0, *map(len, self.places)])
        values, columns = np.concatenate([[], *self.scores]), np.concatenate([[], *self.places]).astype(np.int64)
        weights = csr_matrix((values, columns, ends), shape=(len(self.places), len(self.words)))
        known = {word: place for place, word in enumerate(self.words)}
        product: Any = _presence(texts, known) @ weights.T
        return product.tocsc()


def top_rows(codes: SparseCodes, most: int) -> tuple[Int[np.ndarray, " _"], ...]:
    """Of each feature the rows in which it is active, the strongest first, at most `most`."""
    columns: Any = codes.sparse().tocsc()
    out = []
    for start, end in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
        order = np.argsort(-columns.data[start:end], kind="stable")[:most]
        out.append(columns.indices[start:end][order].astype(np.int64))
    return tuple(out)


def name_features(
    texts: Sequence[str], top: Sequence[Int[np.ndarray, " _"]], most: int = 12, least_texts: int = 3
) -> FeatureNames:
    """Words that a feature's top texts (rows `top`) use more than all other texts, at most `most` a feature.

    Weighted log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, Fightin' Words): the prior
    is the use of the word in all texts, and the score is the difference of the log-odds over its standard deviation.
    A word counts once a text, and must stand in `least_texts` texts. Raises BadInput for rows that are not there.
    """
    from scipy.sparse import csr_matrix

    rows = np.concatenate([np.empty(0, np.int64), *top])
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(texts):
        raise BadInput(f"top holds row {rows.max()}; expected rows of {len(texts)} texts")
    tally = Counter(word for text in texts for word in set(words_of(text)))
    words = tuple(sorted(word for word, count in tally.items() if count >= least_texts))
    present = _presence(texts, {word: place for place, word in enumerate(words)})
    whole = np.array([tally[word] for word in words], dtype=np.float64)
    prior = min(_PRIOR / max(whole.sum(), 1.0), 0.1) * whole
    ends = np.cumsum([0, *map(len, top)])
    picked = csr_matrix((np.ones(len(rows)), rows, ends), shape=(len(top), len(texts)))
    inside: Any = picked @ present
    places, scores = [], []
    for feature in range(len(top)):
        part = slice(inside.indptr[feature], inside.indptr[feature + 1])
        found, count = inside.indices[part], inside.data[part]
        score = _log_odds(count, whole[found], prior[found], (count.sum(), whole.sum(), prior.sum()))
        best = np.argsort(-score, kind="stable")[:most]
        best = best[score[best] >= _LEAST]
        places.append(found[best].astype(np.int64))
        scores.append(score[best])
    return FeatureNames(words, tuple(places), tuple(scores))


def separation(score: Float[np.ndarray, " n"], active: Bool[np.ndarray, " n"]) -> Estimate:
    """How often the words score an active text above one that is not (area under the ROC curve; chance is .5).

    The interval is DeLong's (1988) on the logit scale; where all or none are in order, Clopper and Pearson's.
    """
    positive, negative = np.sort(score[active]), np.sort(score[~active])
    p, q = len(positive), len(negative)
    if not p or not q:
        raise BadInput(f"{p} texts are active and {q} are not; expected some of both")
    above = (np.searchsorted(negative, positive) + np.searchsorted(negative, positive, "right")) / (2 * q)
    below = (np.searchsorted(positive, negative) + np.searchsorted(positive, negative, "right")) / (2 * p)
    value = float(above.mean())
    spread = float(np.sqrt(above.var(ddof=1) / p + below.var(ddof=1) / q)) if min(p, q) > 1 else 0.0
    if spread == 0 or value in (0.0, 1.0):
        exact = estimate.proportion(round(value * min(p, q)), min(p, q))
        return Estimate(value, min(exact.low, value), max(exact.high, value), min(p, q), exact.method)
    middle, half = np.log(value / (1 - value)), 1.96 * spread / (value * (1 - value))
    low, high = (1 / (1 + np.exp(-(middle + side * half))) for side in (-1, 1))
    return Estimate(value, float(low), float(high), p, "DeLong, logit")


def _log_odds(
    inside: np.ndarray, whole: np.ndarray, prior: np.ndarray, sums: tuple[float, float, float]
) -> Float[np.ndarray, " w"]:
    """z-scores of words that stand `inside` times in the top texts, and `whole` times in all; `sums` over all words."""
    n, total, weight = sums
    outside = whole - inside
    first = np.log((inside + prior) / (n + weight - inside - prior))
    second = np.log((outside + prior) / (total - n + weight - outside - prior))
    return (first - second) / np.sqrt(1 / (inside + prior) + 1 / (outside + prior))


def _presence(texts: Sequence[str], known: dict[str, int]) -> csr_matrix:
    """Which known words stand in each text, as ones."""
    from scipy.sparse import csr_matrix

    rows = [sorted({known[word] for word in words_of(text) if word in known}) for text in texts]
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter((place for row in rows for place in row), np.int64, int(ends[-1]))
    return csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(texts), len(known)))
