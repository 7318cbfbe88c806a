"""How well vectors are given back, by the autoencoder and by floors that write a vector with as many numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from workbench.core import estimate
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.core.means import mean_cosine
from workbench.core.vectors import unit
from workbench.results.sparse_features import Reconstruction

_BLOCK = 512


def reconstruction(
    method: str,
    numbers: str,
    vectors: Float[np.ndarray, "n d"],
    rebuilt: Float[np.ndarray, "n d"],
    centre: Float[np.ndarray, " d"],
    groups: Shaped[np.ndarray, " n"] | None = None,
    seed: int = 0,
) -> Reconstruction:
    """Variance explained and mean cosine of `rebuilt`; the variance is about `centre`, the mean of what was learnt."""
    missing = ((vectors - rebuilt).astype(np.float64) ** 2).sum(axis=1)
    whole = ((vectors - centre).astype(np.float64) ** 2).sum(axis=1)
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(rebuilt, axis=1)
    cosines = np.einsum("nd,nd->n", vectors, rebuilt) / np.maximum(norms, 1e-12)
    cosine = mean_cosine(cosines.astype(np.float64), groups, seed)
    return Reconstruction(method, numbers, explained(missing, whole, groups, seed), cosine)


def explained(
    missing: Float[np.ndarray, " n"],
    whole: Float[np.ndarray, " n"],
    groups: Shaped[np.ndarray, " n"] | None = None,
    seed: int = 0,
) -> Estimate:
    """1 - sum(missing) / sum(whole), with a bootstrap interval over vectors, or over whole groups."""
    if not whole.sum() > 0:
        raise BadInput(f"{len(whole)} vectors do not differ from the mean; there is no variance to explain")
    lost = estimate.ratio(missing, whole, groups, seed)
    return Estimate(1 - lost.value, 1 - lost.high, 1 - lost.low, lost.n, lost.method)


def floors(
    learnt: Float[np.ndarray, "m d"],
    held_out: Float[np.ndarray, "n d"],
    features: int,
    k: int,
    groups: Shaped[np.ndarray, " n"] | None = None,
    seed: int = 0,
) -> tuple[Reconstruction, ...]:
    """Principal components, and dictionaries that nobody trained, fitted on `learnt` and measured on `held_out`.

    PCA writes k numbers, as many as there are activations, and 2k, as many as there are with the features' numbers.
    A dictionary of random directions, or of learnt vectors, is used as ours is: the k features with the largest
    products; but their activations are the best ones that there are (least squares), which favours these floors.
    """
    centre = learnt.mean(axis=0, dtype=np.float64).astype(np.float32)
    out = []
    components = _components(learnt - centre)
    for count in dict.fromkeys(min(each, len(components)) for each in (k, 2 * k)):
        kept = components[:count]
        rebuilt = (held_out - centre) @ kept.T @ kept + centre
        out.append(("PCA, " + _many(count, "component"), _many(count, "number"), rebuilt))
    random = np.random.default_rng([seed, 1])  # not the directions that the autoencoder began with
    drawn = random.standard_normal((features, learnt.shape[1])).astype(np.float32)
    picked = learnt[random.choice(len(learnt), min(features, len(learnt)), replace=False)] - centre
    for name, rows in (("random directions", drawn), ("learnt vectors as features", picked)):
        rebuilt = _best_of(unit(rows), held_out - centre, k) + centre
        out.append((name, f"{k} of {len(rows):,}", rebuilt))
    return tuple(
        reconstruction(name, numbers, held_out, rebuilt, centre, groups, seed) for name, numbers, rebuilt in out
    )


def _components(centred: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "c d"]:
    """Principal components, the largest first: no more than rows or dimensions."""
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return vectors.T[::-1][: min(centred.shape)].astype(np.float32)


def _best_of(
    dictionary: Float[np.ndarray, "m d"], centred: Float[np.ndarray, "n d"], k: int
) -> Float[np.ndarray, "n d"]:
    """Each vector as the best sum of the k rows of the dictionary that have the largest products with it."""
    k = min(k, len(dictionary))
    out = np.empty_like(centred)
    ridge = 1e-4 * np.eye(k, dtype=np.float32)  # two rows of the dictionary may be nearly the same
    for start in range(0, len(centred), _BLOCK):
        block = centred[start : start + _BLOCK]
        places: Int[np.ndarray, "b k"] = np.argpartition(-(block @ dictionary.T), k - 1, axis=1)[:, :k]
        rows: Any = dictionary[places]  # b k d
        products = np.einsum("bkd,bd->bk", rows, block)
        weights = np.linalg.solve(rows @ rows.transpose(0, 2, 1) + ridge, products[..., None])[..., 0]
        out[start : start + _BLOCK] = np.einsum("bk,bkd->bd", weights, rows)
    return out


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count != 1 else "")
