"""What score a non-member usually has, given its length and its neighbourhood; and how likely a score is a member's.

Offline likelihood ratios of Carlini et al. (2022, "Membership inference attacks from first principles"), with texts
that are surely no members in place of shadow models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_WIDEST = 3.0
"""Standardised features are cut here: squares of outliers would foretell nonsense."""
_STRAY = 0.01
"""Share of non-members whose score follows no rule."""
_ROUNDS = 200
_NARROWEST = 2e-3


@dataclass(frozen=True)
class Usual:
    """Mean and spread of non-members' scores, each a quadratic of the features."""

    centre: Float[np.ndarray, " f"]
    scale: Float[np.ndarray, " f"]
    mean: Float[np.ndarray, " w"]
    spread: Float[np.ndarray, " w"]
    """Of the logarithm of the spread."""

    @classmethod
    def fit(cls, scores: Float[np.ndarray, " n"], features: Float[np.ndarray, "n f"]) -> Usual:
        """By ridge regression, of the scores and then of the logarithm of what is left over."""
        centre, scale = features.mean(0), features.std(0) + 1e-9
        table = _powers(features, centre, scale)
        square = table.T @ table + np.eye(table.shape[1])
        mean = np.linalg.solve(square, table.T @ scores)
        left = scores - table @ mean
        spread = np.linalg.solve(square, table.T @ np.log(np.abs(left) + 1e-4))
        spread[0] += 0.5 * np.log(np.mean(np.square(left / np.exp(table @ spread))))
        return cls(centre, scale, mean, spread)

    def excess(self, scores: Float[np.ndarray, " n"], features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, " n"]:
        """How far above a non-member's usual score each is, in standard deviations."""
        table = _powers(features, self.centre, self.scale)
        return (scores - table @ self.mean) / np.exp(table @ self.spread)

    def log_density(
        self, scores: Float[np.ndarray, " n"], features: Float[np.ndarray, "n f"]
    ) -> Float[np.ndarray, " n"]:
        """Of a non-member's score, up to a constant that `member_log_ratio` shares; a hundredth of them may stray."""
        table = _powers(features, self.centre, self.scale)
        normal = -0.5 * np.square((scores - table @ self.mean) / np.exp(table @ self.spread)) - table @ self.spread
        return np.logaddexp(np.log(1 - _STRAY) + normal, np.log(_STRAY))


def member_log_ratio(scores: Float[np.ndarray, " n"], usual: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Log of how much likelier each score is if its text is a member; `usual` is the log density if it is not.

    Whatever a defence does, it does to all members alike, so their scores are taken to be normal around one value.
    That value, its spread and the share of members follow from the unlabelled scores by expectation and maximisation.
    """
    centre, spread, share = float(scores.max()), 0.1, 0.5
    log_in = np.zeros(len(scores))
    for _ in range(_ROUNDS):
        log_in = -0.5 * np.square((scores - centre) / spread) - np.log(spread)
        odds = np.clip(log_in - usual + np.log(share / (1 - share)), -50, 50)
        weight = 1 / (1 + np.exp(-odds))
        share = float(np.clip(weight.mean(), 0.01, 0.99))
        centre = float((weight * scores).sum() / weight.sum())
        spread = max(float(np.sqrt((weight * np.square(scores - centre)).sum() / weight.sum())), _NARROWEST)
    return log_in - usual


def _powers(features: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    z = np.clip((features - centre) / scale, -_WIDEST, _WIDEST)
    return np.hstack([np.ones((len(z), 1)), z, np.square(z)])
