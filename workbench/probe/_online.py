"""Online description length (Voita & Titov 2020), and the learning curve that falls out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import expit, logsumexp

from workbench.core.errors import BadInput
from workbench.probe._batched import BatchedLogistic
from workbench.probe._estimators import PENALTIES

PORTIONS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)
"""Shares of the training items after which the probe is trained anew (the paper's)."""
_LEAST = 16
"""Items before a first probe is trained."""


@dataclass(frozen=True)
class Codelength:
    """Bits that the labels cost when each block is coded by probes trained on the blocks before it."""

    bits: float
    uniform_bits: float
    entropy_bits: float
    curve: tuple[tuple[int, Float[np.ndarray, "n k"]], ...]
    """Items seen, and class probabilities of the test items then."""

    @property
    def against_uniform(self) -> float:
        """Compression against a code that gives each class the same length; above 1 something was learnt."""
        return self.uniform_bits / self.bits

    @property
    def against_entropy(self) -> float:
        """Compression against a code that knows the frequencies of the labels."""
        return self.entropy_bits / self.bits


def online_codelength(
    vectors: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    k: int,
    validation: tuple[Float[np.ndarray, "v d"], Int[np.ndarray, " v"]],
    test: Float[np.ndarray, "m d"],
    seed: int = 0,
    device: str = "auto",
) -> Codelength:
    """Code the labels of n items block by block, in an order drawn by `seed`.

    The code is a Bayesian mixture of experts: a logistic probe for each penalty, and one that only counts labels
    (Krichevsky & Trofimov 1981). So the penalty need not be chosen beforehand, and labels that the vectors do not tell
    cost no more than the counting expert's code and log2 of the number of experts. The curve holds the probabilities
    of the penalty that is best on validation at each size.
    """
    if len(vectors) != len(labels) or len(vectors) < 2:
        raise BadInput(f"{len(labels)} labels for {len(vectors)} vectors; expected as many of both, and at least 2")
    order = np.random.default_rng(seed).permutation(len(labels))
    vectors, labels = vectors[order], labels[order]
    ends = sorted({max(_LEAST, round(share * len(labels))) for share in PORTIONS if share * len(labels) >= 1})
    ends = [min(end, len(labels)) for end in ends] or [len(labels)]
    told = np.zeros(len(PENALTIES) + 1)
    told[:-1] -= ends[0] * np.log(k)  # the first block: no probe can know anything yet
    told[-1] = _counting(labels, k)
    curve = []
    for start, end in zip(ends, [*ends[1:], len(labels)], strict=True):
        probes = _Probes(vectors[:start], labels[:start], k, device)
        if end > start:
            block = probes.chances(vectors[start:end])
            told[:-1] += np.log(block[:, np.arange(end - start), labels[start:end]]).sum(1)
        found = probes.chances(validation[0])[:, np.arange(len(validation[1])), validation[1]]
        curve.append((start, probes.chances(test)[int(np.log(found).sum(1).argmax())]))
    counts = np.bincount(labels, minlength=k)
    seen = counts[counts > 0]
    entropy = float(-(seen * np.log2(seen / len(labels))).sum())
    bits = float(-(logsumexp(told) - np.log(len(told))) / np.log(2))
    return Codelength(bits, float(len(labels) * np.log2(k)), entropy, tuple(curve))


def _counting(labels: np.ndarray, k: int) -> float:
    """Log-probability of the labels by counting those before, each with half a label in advance."""
    from scipy.special import gammaln

    counts = np.bincount(labels, minlength=k)
    ahead = gammaln(counts + 0.5).sum() - k * gammaln(0.5)
    return float(ahead + gammaln(k / 2) - gammaln(len(labels) + k / 2))


class _Probes:
    """One logistic probe for each penalty, each class against the rest, fitted as one problem."""

    def __init__(self, vectors: np.ndarray, labels: np.ndarray, k: int, device: str) -> None:
        self._k = k
        counts = np.bincount(labels, minlength=k)
        self._usual = (counts + 0.5) / (len(labels) + k / 2)
        columns = (labels[:, None] == (1 if k == 2 else np.arange(k))).reshape(len(labels), -1)
        self._usable = columns.any(0) & ~columns.all(0)
        if self._usable.any():
            width = int(self._usable.sum())
            wanted = np.tile(columns[:, self._usable], len(PENALTIES))
            penalties = np.repeat(np.asarray(PENALTIES), width)
            self._probe = BatchedLogistic(C=penalties, tol=1e-3, device=device).fit(vectors, wanted)

    def chances(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "p n k"]:
        """Class probabilities of n items under each penalty; never 0, so that no item costs endlessly many bits."""
        columns = len(self._usable)
        usual = self._usual[1:] if self._k == 2 else self._usual
        shares = np.broadcast_to(usual, (len(PENALTIES), len(vectors), columns)).copy()
        if self._usable.any():
            odds = self._probe.decision_function(vectors).reshape(len(vectors), len(PENALTIES), -1)
            shares[:, :, self._usable] = expit(odds).transpose(1, 0, 2)
        if self._k == 2:
            shares = np.concatenate([1 - shares, shares], axis=2)
        shares = shares / np.maximum(shares.sum(2, keepdims=True), 1e-12)
        return 0.999 * shares + 0.001 / self._k
