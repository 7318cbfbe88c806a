"""Control tasks (Hewitt & Liang 2019): labels that a hash of the group decides, so that nothing but memory can help."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from workbench.probe._batched import BatchedLogistic

_COLUMNS = 40
"""About so many yes-or-no probes a control; with k classes that makes 40 / k control tasks."""


def control_labels(groups: Sequence[str], k: int, draws: int, seed: int = 0) -> Int[np.ndarray, "n draws"]:
    """For each draw, a class for every group, uniform over k: all items of a group have the same."""
    return np.minimum((ndtr(control_draws(groups, draws, seed)) * k).astype(np.int64), k - 1)


def control_draws(groups: Sequence[str], draws: int, seed: int = 0) -> Float[np.ndarray, "n draws"]:
    """For each draw, a normal number for every group, from a hash of its name: all items of a group have the same."""
    names, rows = np.unique(np.asarray(groups), return_inverse=True)
    table = np.empty((len(names), draws))
    for number, name in enumerate(names):
        digest = hashlib.blake2b(f"{seed}:{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        table[number] = np.random.default_rng(int.from_bytes(digest, "little")).standard_normal(draws)
    return table[rows]


def control_accuracy(
    train: Float[np.ndarray, "m d"],
    test: Float[np.ndarray, "n d"],
    train_groups: Sequence[str],
    test_groups: Sequence[str],
    k: int,
    penalty: float,
    seed: int = 0,
    device: str = "auto",
) -> Float[np.ndarray, " n"]:
    """How often each test item is predicted right in control tasks, over all draws; 1 / k is chance."""
    draws = max(4, _COLUMNS // (k if k > 2 else 1))
    wanted = control_labels(train_groups, k, draws, seed)
    truth = control_labels(test_groups, k, draws, seed)
    columns = wanted.astype(bool) if k == 2 else (wanted[:, :, None] == np.arange(k)).reshape(len(wanted), -1)
    usable = columns.any(0) & ~columns.all(0)  # few groups may leave a class out
    scores = np.full((len(test), columns.shape[1]), -np.inf)
    scores[:, ~usable & columns.all(0)] = np.inf
    if usable.any():
        probe = BatchedLogistic(C=penalty, device=device).fit(train, columns[:, usable])
        scores[:, usable] = probe.decision_function(test)
    predicted = scores > 0 if k == 2 else scores.reshape(len(test), draws, k).argmax(2)
    return (predicted == truth).mean(1)
