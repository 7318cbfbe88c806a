"""Which independent component of one space is which of the other: by how they are spread, and how they go together."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning

_MOST_ITERATIONS, _TOLERANCE = 200, 1e-3
_FAR = 5.0
"""Values further out, in standard deviations, count as this far."""
_QUANTILES = np.concatenate([np.linspace(0.001, 0.02, 10), np.linspace(0.03, 0.97, 40), np.linspace(0.98, 0.999, 10)])
_SPREAD = 0.2
"""What alike spreads are worth beside going together alike."""
_STARTS, _STAYS, _ASTRAY = 12, 0.3, 3
"""Starts of an assignment; what of each is the best one so far, the rest being the mean of so many random ones."""
_STEPS, _LEAST_GAIN = 100, 1e-9
"""Most Frank-Wolfe steps of each start; some ten are made."""


class Components(NamedTuple):
    """The independent components of one space, each turned so that its longer tail is positive."""

    directions: Float[np.ndarray, "k d"]
    spreads: Float[np.ndarray, "k q"]
    together: Float[np.ndarray, "w k k"]


class _Assignment(NamedTuple):
    """A permutation matrix, how well two tables agree by it, and that with how alike the spreads are."""

    chosen: Float[np.ndarray, "k k"]
    agreement: float
    worth: float


def independent_components(vectors: Float[np.ndarray, "n d"], count: int, seed: int) -> Components:
    """By FastICA, with what tells them apart: how each is spread, and how it goes together with each other one."""
    model = FastICA(count, whiten="unit-variance", max_iter=_MOST_ITERATIONS, tol=_TOLERANCE, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last axes of a large space seldom settle
        values = np.asarray(model.fit_transform(vectors))
    turned = np.where((values**3).mean(0) < 0, -1.0, 1.0)
    values *= turned
    return Components(
        (np.asarray(model.mixing_) * turned).T, np.quantile(values, _QUANTILES, axis=0).T, _together(values)
    )


def matched_components(one: Components, other: Components) -> Float[np.ndarray, "d e"]:
    """The directions of one space times those of the other that seem to mean the same, summed; the surer, the larger.

    Embedders that learnt from alike texts have alike independent components (Yamagiwa et al. 2023), and these can be
    told apart without a pair: each is spread in its own way over texts of a kind, and each goes together with others
    in its own way, though all are uncorrelated: where one is large, which others are large, far from zero, or near it?
    Spreads are compared by quantiles, and how components go together by ranks; that is a quadratic assignment of few
    objects with many features, which Frank-Wolfe steps solve (FAQ, Vogelstein et al. 2015).
    """
    order, agreement = _assigned(one.together, other.together, _unlike(one.spreads, other.spreads))
    return max(agreement, 0.0) ** 2 * one.directions.T @ other.directions[order]


def _together(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "4 k k"]:
    """In four ways: ranks in each, of unit length in all."""
    near = np.clip(values, -_FAR, _FAR)
    count = values.shape[1]
    tails, sizes = np.maximum(near, 0) ** 2, np.abs(near)
    rest = np.hstack([np.exp(-(near**2) / 2), near])
    ways = [_correlations(each) for each in (tails, near**2, sizes)] + [_correlations(rest)[:count, count:]]
    ranked = np.zeros((len(ways), count, count))
    others = ~np.eye(count, dtype=bool)
    for way, table in zip(ranked, ways, strict=True):
        way[others] = rankdata(table[others]) - (count * (count - 1) + 1) / 2
    return ranked / max(float(np.linalg.norm(ranked)), 1e-12)


def _correlations(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "k k"]:
    centred = values - values.mean(0)
    centred /= np.maximum(np.linalg.norm(centred, axis=0), 1e-12)
    return centred.T @ centred


def _unlike(a: Float[np.ndarray, "k q"], b: Float[np.ndarray, "k q"]) -> Float[np.ndarray, "k k"]:
    """How differently two components are spread, standardised, and so scaled that all in all it weighs as one."""
    unlike = ((a[:, None] - b[None]) ** 2).mean(2)
    return (unlike - unlike.mean()) / (unlike.std() + 1e-12) / len(unlike)


def _assigned(
    a: Float[np.ndarray, "w k k"], b: Float[np.ndarray, "w k k"], unlike: Float[np.ndarray, "k k"]
) -> tuple[np.ndarray, float]:
    """For each object of `a` one of `b`, so that their tables agree, and how well they do then (a correlation)."""
    count = len(unlike)
    random = np.random.default_rng(count)
    best = _climbed(a, b, unlike, np.full((count, count), 1.0 / count))
    for _ in range(_STARTS - 1):
        astray = sum(np.eye(count)[random.permutation(count)] for _ in range(_ASTRAY)) / _ASTRAY
        other = _climbed(a, b, unlike, _STAYS * best.chosen + (1 - _STAYS) * astray)
        best = max(best, other, key=lambda each: each.worth)
    return best.chosen.argmax(1), best.agreement


def _climbed(a: np.ndarray, b: np.ndarray, unlike: np.ndarray, soft: np.ndarray) -> _Assignment:
    """The permutation that Frank-Wolfe steps from a doubly stochastic matrix end at."""
    turned_a, turned_b = a.swapaxes(1, 2), b.swapaxes(1, 2)
    for _ in range(_STEPS):
        slope = (a @ soft @ turned_b + turned_a @ soft @ b).sum(0) - _SPREAD * unlike
        step = _permutation(slope) - soft
        gain, bend = float((slope * step).sum()), float(((a @ step @ turned_b).sum(0) * step).sum())
        if gain < _LEAST_GAIN:
            break
        soft = soft + (min(1.0, -gain / (2 * bend)) if bend < 0 else 1.0) * step
    chosen = _permutation(soft)
    agreement = float(((a @ chosen @ turned_b).sum(0) * chosen).sum())
    return _Assignment(chosen, agreement, agreement - _SPREAD * float((unlike * chosen).sum()))


def _permutation(worth: Float[np.ndarray, "k k"]) -> Float[np.ndarray, "k k"]:
    rows, columns = linear_sum_assignment(worth, maximize=True)
    chosen = np.zeros_like(worth)
    chosen[rows, columns] = 1.0
    return chosen
