"""Candidates: texts of which the audit knows whether they are members, and the attack does not."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import BadInput
from workbench.core.estimate import auc, exact_proportion
from workbench.core.text import content_key, normalise, split_key, word_count, word_pieces
from workbench.results.membership import FEWEST_STRICT, STRICT, AttackRates, Rate

LEVELS = (STRICT, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_FEWEST_MEMBERS, _FEWEST_OTHERS = 20, 200
_MOST = 10_000
"""Texts a side; a bootstrap of more takes gigabytes."""

Scorer = Callable[[Int[np.ndarray, " r"], Int[np.ndarray, " c"]], Float[np.ndarray, " c"]]
"""Numbers for the rows `c` by an attacker who knows that the rows `r` are no members."""


@dataclass(frozen=True)
class Candidates:
    """n texts, whether each is a member, and the half that each stands in; a half decides nothing about itself."""

    texts: tuple[str, ...]
    member: Bool[np.ndarray, " n"]
    half: Int[np.ndarray, " n"]
    left_out: int = 0

    @classmethod
    def of(cls, members: Sequence[str], others: Sequence[str]) -> Candidates:
        """Distinct texts by normal form, the first 10,000 a side by content hash; what stands on both sides is left
        out. Raises BadInput for fewer than 20 members or 200 others."""
        inside, outside = (
            {normalise(text) or text: text for text in side if text.strip()} for side in (members, others)
        )
        both = inside.keys() & outside.keys()
        sides = [[text for key, text in side.items() if key not in both] for side in (inside, outside)]
        for name, side, least in zip(("members", "others"), sides, (_FEWEST_MEMBERS, _FEWEST_OTHERS), strict=True):
            if len(side) < least:
                raise BadInput(f"{name} holds {len(side)} distinct texts of its own; expected at least {least}")
        sides = [sorted(side, key=lambda text: (split_key(text), content_key(text)))[:_MOST] for side in sides]
        texts = [*sides[0], *sides[1]]
        return cls(
            tuple(texts),
            np.arange(len(texts)) < len(sides[0]),
            np.concatenate([np.arange(len(side)) % 2 for side in sides]),
            len(members) + len(others) - len(texts),
        )

    def cross_fitted(self, scorer: Scorer) -> Float[np.ndarray, " n"]:
        """Each half scored by what the other half's non-members teach."""
        scores = np.empty(len(self.texts))
        for half in (0, 1):
            rows = np.flatnonzero(self.half == half)
            scores[rows] = scorer(np.flatnonzero((self.half != half) & ~self.member), rows)
        return scores

    def rated(self, attack: str, scores: Float[np.ndarray, " n"]) -> AttackRates:
        """AUC and rates of scores that are higher for members; a half's thresholds are those of the other half."""
        outside = int((~self.member).sum())
        levels = [level for level in LEVELS if level >= 0.01 or level * outside >= STRICT * FEWEST_STRICT]
        rates = tuple(self._rate(scores, level) for level in levels)
        return AttackRates(attack, auc(scores[self.member], scores[~self.member]), rates)

    def _rate(self, scores: np.ndarray, level: float) -> Rate:
        above = np.zeros(len(scores), bool)
        for half in (0, 1):
            others = np.sort(scores[(self.half != half) & ~self.member])[::-1]
            # the k-th highest of m: a further non-member exceeds it with probability k / (m + 1) at most
            place = int(level * (len(others) + 1)) - 1
            limit = others[place] if place >= 0 else np.inf
            above |= (self.half == half) & (scores > limit)
        member = self.member
        return Rate(
            level,
            exact_proportion(int(above[member].sum()), int(member.sum())),
            exact_proportion(int(above[~member].sum()), int((~member).sum())),
        )

    def chance(self, level: float) -> float:
        """Largest share of the members that a random attack finds at a level, with probability .975.

        The k-th highest of m random scores is exceeded with a probability that follows Beta(k, m + 1 - k).
        """
        from scipy.stats import betabinom

        hits = np.ones(1)
        for half in (0, 1):
            n = int((self.member & (self.half == half)).sum())
            m = int((~self.member & (self.half != half)).sum())
            k = max(1, int(level * (m + 1)))
            hits = np.convolve(hits, betabinom.pmf(np.arange(n + 1), n, k, m + 1 - k))
        return int(np.searchsorted(hits.cumsum(), 0.975)) / int(self.member.sum())


def blind(candidates: Candidates) -> AttackRates:
    """An attack that sees the texts alone: words, pairs of words, length, capitals, digits and punctuation.

    It learns from the labels of the other half, as no attacker could; above chance, it says that the lists differ
    (Das, Zhang and Tramer 2024, "Blind baselines beat membership inference attacks for foundation models").
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    texts, member = np.array(candidates.texts, object), candidates.member
    scores = np.empty(len(texts))
    unused: Any = None  # the stubs ask for a pattern beside a tokeniser
    for half in (0, 1):
        words = TfidfVectorizer(
            lowercase=False, tokenizer=word_pieces, token_pattern=unused, ngram_range=(1, 2), max_features=20_000
        )
        surface = make_pipeline(FunctionTransformer(_surface), StandardScaler())
        model = make_pipeline(make_union(words, surface), LogisticRegression(max_iter=500))
        rows = candidates.half == half
        found = model.fit(texts[~rows], member[~rows]).decision_function(texts[rows])
        scores[rows] = (found - found.mean()) / (found.std() + 1e-9)  # two models have two scales
    return candidates.rated("blind: the texts alone", scores)


def _is_sign(letter: str) -> bool:
    """Neither a letter or digit nor a mark on one."""
    return not letter.isalnum() and unicodedata.category(letter)[0] != "M"


def _surface(texts: np.ndarray) -> np.ndarray:
    def shares(text: str) -> list[float]:
        n = len(text)
        kinds = (str.isupper, str.isdigit, str.isspace, _is_sign)
        counts = [sum(map(kind, text)) / n for kind in kinds]
        return [np.log(n), np.log(1 + word_count(text)), *counts, float(text[-1] in ".!?"), float(text[0].isupper())]

    return np.array([shares(text) for text in texts])
