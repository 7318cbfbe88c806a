"""Fingerprint: which embedder made a store of vectors, told from the vectors alone.

Every embedder fills its space in its own way: some directions vary a hundred times as much as others. A vector of
another embedder, or a rotated one, lies far out by that measure, whatever its text says.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from workbench.core.errors import BadInput
from workbench.core.vectors import are_unit, require_finite, unit, whitening
from workbench.defend import open_defence
from workbench.results.fingerprint import Fingerprint, Suspect

_MOST = 1000
"""Vectors of the store that are looked at."""
_FLOOR = 1e-2
"""Least variance of a direction, relative to the mean one."""


@dataclass(frozen=True)
class Reference:
    """Vectors of public texts by one embedder, with the domain of each text (two domains at least)."""

    embedder: str
    vectors: Float[np.ndarray, "r d"]
    domains: Shaped[np.ndarray, " r"]


def fingerprint(vectors: Float[np.ndarray, "n d"], references: Sequence[Reference], seed: int = 0) -> Fingerprint:
    """Which of the references' embedders made the vectors, or none of them, with a probability.

    A suspect whose vectors are longer is tried cut to the first d dimensions (Matryoshka), all in the form in which the
    vectors are stored. The probability is a logistic regression on the excess distance, fitted on domains that were
    left out in turn, against vectors of the other suspects and randomly rotated ones. Raises BadInput where no
    reference has d dimensions or more.
    """
    require_finite(vectors)
    n, d = vectors.shape
    return LineUp(references, d, form_of(vectors), min(n, _MOST), seed).tell(vectors)


class LineUp:
    """The suspects for vectors of d dimensions in a form, and what the excess of n of them says of who made them."""

    def __init__(self, references: Sequence[Reference], d: int, stored: str, n: int, seed: int = 0) -> None:
        began = time.monotonic()
        suspects = [each for each in references if each.vectors.shape[1] >= d]
        if not suspects:
            raise BadInput(f"the vectors have {d} dimensions; no embedder among {len(references)} has as many")
        if len({*suspects[0].domains.tolist()}) < 2:
            raise BadInput("references need texts of at least 2 domains")
        self._stored, self._n, self._seed = stored, n, seed
        self._dims = {each.embedder: each.vectors.shape[1] for each in suspects}
        self._texts = max(len(each.vectors) for each in suspects)
        random = np.random.default_rng([seed, n])
        known = {each.embedder: _shaped(each.vectors, d, stored, random) for each in suspects}
        domains = {each.embedder: each.domains for each in suspects}
        self._slope, self._start = _calibrated(known, domains, n, random)
        self._spreads = {name: _Spread.of(table) for name, table in known.items()}
        self._seconds = time.monotonic() - began

    def tell(self, vectors: Float[np.ndarray, "m d"]) -> Fingerprint:
        """Who made these vectors; of more than n, n are drawn. Its seconds count the line-up's making too."""
        began = time.monotonic()
        m, d = vectors.shape
        drawn = np.random.default_rng([self._seed, m]).choice(m, min(m, self._n), replace=False)
        taken = unit(vectors[drawn])
        excess = {name: float(spread.excess(taken).mean()) for name, spread in self._spreads.items()}
        odds = {name: float(np.exp(np.clip(self._start - self._slope * far, -30, 30))) for name, far in excess.items()}
        total = 1 + sum(odds.values())
        return Fingerprint(
            n=m,
            dim=d,
            normalised=are_unit(vectors),
            stored=self._stored,
            suspects=tuple(
                Suspect(name, "" if self._dims[name] == d else f"first {d}", excess[name], odds[name] / total)
                for name in sorted(excess, key=excess.__getitem__)
            ),
            none=1 / total,
            texts=self._texts,
            seconds=self._seconds + time.monotonic() - began,
        )


def form_of(vectors: Float[np.ndarray, "n d"]) -> str:
    """How the numbers were stored, as far as they show it: binary, int8, float16 or float32."""
    some = vectors[:100].astype(np.float64)
    size = np.abs(some)
    if (size.max(1) - size.min(1) <= 1e-6 * size.max(1)).all():
        return "binary"
    steps = some / (size.max(1, keepdims=True) / 127)
    if np.abs(steps - np.rint(steps)).max() < 1e-2:
        return "int8"
    return "float16" if (some == some.astype(np.float16)).all() else "float32"


def _shaped(vectors: np.ndarray, d: int, stored: str, random: np.random.Generator) -> np.ndarray:
    """Vectors cut and stored as those of the store were."""
    cut = unit(vectors[:, :d])
    return unit(open_defence(stored).apply(cut, random)) if stored in ("binary", "int8") else cut


@dataclass(frozen=True)
class _Spread:
    """How one embedder fills its space: a mean, and per direction a scale; and how far out its own vectors lie."""

    mean: np.ndarray
    whitening: np.ndarray
    usual: tuple[float, float]

    @classmethod
    def of(cls, vectors: np.ndarray) -> _Spread:
        """From vectors of which every other one tells the directions, and the rest how far out is usual."""
        fitted, rest = vectors[::2].astype(np.float64), vectors[1::2]
        mean = fitted.mean(0)
        white = whitening(np.cov(fitted.T, bias=True), _FLOOR)
        raw = cls(mean, white, (0.0, 1.0)).excess(rest)
        return cls(mean, white, (float(raw.mean()), float(raw.std()) + 1e-6))

    def excess(self, vectors: np.ndarray) -> np.ndarray:
        """Log of Mahalanobis' distance of each vector, less what is usual, in standard deviations."""
        far = np.log(np.square((vectors - self.mean) @ self.whitening).mean(1) + 1e-9)
        return (far - self.usual[0]) / self.usual[1]


def _calibrated(
    known: dict[str, np.ndarray], domains: dict[str, np.ndarray], n: int, random: np.random.Generator
) -> tuple[float, float]:
    """Slope and start of the log-odds that a suspect made n vectors, given their mean excess."""
    from sklearn.linear_model import LogisticRegression

    cases = list(_cases(known, domains, n, random))
    far, true = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    fitted = LogisticRegression(C=10.0, class_weight="balanced").fit(np.minimum(far, 10.0)[:, None], true)
    return -float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _cases(
    known: dict[str, np.ndarray], domains: dict[str, np.ndarray], n: int, random: np.random.Generator
) -> Iterator[tuple[float, bool]]:
    """Mean excess of n vectors of a domain under a suspect that never saw it, and whether it made them."""
    for name, table in known.items():
        turn = np.linalg.qr(random.standard_normal((table.shape[1],) * 2))[0]
        for domain in dict.fromkeys(domains[name].tolist()):
            out = domains[name] == domain
            spread = _Spread.of(table[~out])
            for other, vectors in known.items():
                mine = vectors[domains[other] == domain]
                for _ in range(3):
                    drawn = mine[random.integers(len(mine), size=min(n, len(mine)))]
                    yield float(spread.excess(drawn).mean()), other == name
                    if other == name:
                        yield float(spread.excess(drawn @ turn).mean()), False
