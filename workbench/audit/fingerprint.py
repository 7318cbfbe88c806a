"""Fingerprint: which embedder made a store of vectors, from the vectors alone.

Every embedder fills its space in its own way. A set of vectors is compared with the sets that a suspect's own texts
give, domain by domain, on both sides: by the distance from the mean, the similarity to vectors of public texts, the
variances along the principal axes, the mean vector, and how the vectors differ among themselves. What lies nearer to
the mean than real vectors do is as strange as what lies farther out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from workbench.audit._cloud_features import FEATURES, Cloud
from workbench.audit._one_class import Odds, Usual
from workbench.core.codes import are_signs, are_zero_one, kind_of, may_be_packed, packed_readings, standardised_like
from workbench.core.errors import BadInput
from workbench.core.vectors import are_unit, require_finite, unit
from workbench.defend import open_defence
from workbench.results.fingerprint import Fingerprint, Suspect

_MOST = 100
"""Vectors of the store that are compared at once."""
_PARTS = 5
"""Sets of so many vectors that are drawn from a larger store."""
_DRAWS = 4
"""Sets of each held-out domain in the calibration."""


@dataclass(frozen=True)
class Reference:
    """Vectors of public texts by one embedder, with the domain of each text (two domains at least)."""

    embedder: str
    vectors: Float[np.ndarray, "r d"]
    domains: Shaped[np.ndarray, " r"]


def fingerprint(vectors: Float[np.ndarray, "n d"], references: Sequence[Reference], seed: int = 0) -> Fingerprint:
    """Which of the references' embedders made the vectors, or none of them, with a probability.

    A suspect whose vectors are longer is tried cut to the first d dimensions (Matryoshka), all in the form in which the
    vectors are stored; bytes that may be packed bits are tried as bits, too. The probability is a logistic regression
    on how far a set's statistics lie from those of a suspect's own sets, fitted on domains that were left out in turn,
    against vectors of the other suspects and distorted ones. Raises BadInput where no reference has d dimensions or
    more.
    """
    require_finite(vectors)
    longest = max((each.vectors.shape[1] for each in references), default=0)
    readings = [(vectors, "packed bits" if bits else form_of(vectors)) for vectors, bits in _readings(vectors, longest)]
    found = [
        LineUp(
            references, each.shape[1], "binary" if stored == "packed bits" else stored, min(len(each), _MOST), seed
        ).tell(each, stored)
        for each, stored in readings
    ]
    return min(found, key=lambda each: each.none)


def _readings(vectors: np.ndarray, longest: int) -> Iterator[tuple[np.ndarray, bool]]:
    """The vectors, or what they may be as packed bits."""
    if may_be_packed(vectors) and 8 * vectors.shape[1] <= longest:
        for bits in packed_readings(vectors).values():
            yield bits, True
        if kind_of(vectors) == "bits":
            return
    yield vectors, False


class LineUp:
    """The suspects for vectors of d dimensions in a form, and what the statistics of n of them say of who made them."""

    def __init__(self, references: Sequence[Reference], d: int, stored: str, n: int, seed: int = 0) -> None:
        began = time.monotonic()
        suspects = [each for each in references if each.vectors.shape[1] >= d]
        if not suspects:
            raise BadInput(f"the vectors have {d} dimensions; no embedder among {len(references)} has as many")
        if len({*suspects[0].domains.tolist()}) < 2:
            raise BadInput("references need texts of at least 2 domains")
        self._stored, self._n, self._seed = stored, min(n, _MOST), seed
        self._dims = {each.embedder: each.vectors.shape[1] for each in suspects}
        self._texts = max(len(each.vectors) for each in suspects)
        random = np.random.default_rng([seed, n])
        self._views = {each.embedder: _View(each, d, stored) for each in suspects}
        cases = [case for name in self._views for case in self._cases(name, random)]
        self._odds = Odds.fit(np.stack([case for case, _ in cases]), np.array([own for _, own in cases]))
        self._seconds = time.monotonic() - began

    def tell(self, vectors: Float[np.ndarray, "m d"], form: str = "") -> Fingerprint:
        """Who made these vectors; of many, some sets of n are drawn. Its seconds count the line-up's making too."""
        began = time.monotonic()
        m, d = vectors.shape
        order = np.random.default_rng([self._seed, m]).permutation(m)
        sets = [vectors[order[i * self._n : (i + 1) * self._n]] for i in range(max(1, min(_PARTS, m // self._n)))]
        away = {
            name: np.mean([view.standardised(view.shaped(unit_rows(part))) for part in sets], axis=0)
            for name, view in self._views.items()
        }
        logs = {name: float(self._odds.of(z[None])[0]) for name, z in away.items()}
        odds = {name: float(np.exp(np.clip(each, -30, 30))) for name, each in logs.items()}
        total = 1 + sum(odds.values())
        return Fingerprint(
            n=m,
            dim=d,
            normalised=are_unit(vectors),
            stored=form or self._stored,
            suspects=tuple(
                Suspect(
                    name,
                    "" if self._dims[name] == d else f"first {d}",
                    float(away[name][0]),
                    odds[name] / total,
                    self._why(name, away[name]),
                )
                for name in sorted(odds, key=odds.__getitem__, reverse=True)
            ),
            none=1 / total,
            texts=self._texts,
            seconds=self._seconds + time.monotonic() - began,
        )

    def _why(self, name: str, away: np.ndarray) -> str:
        """The statistic that speaks most against a suspect, in words; "" where none lies out."""
        place = int(self._odds.shares(away).argmax())
        far = float(away[place])
        if abs(far) < 2:
            return ""
        side = ("nearer to the mean than" if far < 0 else "farther from the mean than") if place == 0 else ""
        if side:
            return f"they lie {side} real vectors of {name} do ({abs(far):.0f} deviations)"
        side = "lower" if far < 0 else "higher"
        return f"{FEATURES[place]} is {side} than for real vectors of {name} ({abs(far):.0f} deviations)"

    def _cases(self, name: str, random: np.random.Generator) -> Iterator[tuple[np.ndarray, bool]]:
        """Standardised statistics of sets, and whether the suspect made them.

        A domain's own sets are judged by clouds and by usual statistics of the other domains alone.
        """
        view = self._views[name]
        for domain, features in view.own(self._n, random).items():
            rest = Usual.of(np.concatenate([each for other, each in view.found.items() if other != domain]))
            yield from ((each, True) for each in rest.standardised(features))
        others = [other for each, other in self._views.items() if each != name]
        for vectors in _impostors(view.plain, [each.plain for each in others], self._n, random):
            yield view.standardised(view.shaped(vectors), 2), False


def form_of(vectors: Float[np.ndarray, "n d"]) -> str:
    """How the numbers were stored, as far as they show it: binary, int8, codes by dimension, float16 or float32."""
    some = vectors[:1000].astype(np.float64)
    if are_signs(some):
        return "binary"
    match kind_of(some):
        case "per-dimension":
            return "codes by dimension"
        case "scaled":
            return "int8"
        case "bits":
            return "packed bits"
    size = np.abs(some)
    steps = some / (size.max(1, keepdims=True) / 127)
    if np.abs(steps - np.rint(steps)).max() < 1e-2:
        return "int8"
    return "float16" if (some == some.astype(np.float16)).all() else "float32"


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1, bits of 0 and 1 as signs."""
    vectors = vectors.astype(np.float64)
    return unit(2 * vectors - 1 if are_zero_one(vectors) else vectors)


class _View:
    """A suspect's vectors of public texts, cut and stored as those of the store were, and clouds without a domain."""

    def __init__(self, reference: Reference, d: int, stored: str) -> None:
        self.plain = unit(reference.vectors[:, :d].astype(np.float64))
        self._stored = stored
        self._domains = reference.domains
        names = list(dict.fromkeys(reference.domains.tolist()))
        self._mean, self._deviation = self.plain.mean(0), self.plain.std(0)
        self._held = self.shaped(self.plain)
        self._clouds = {name: Cloud.of(self._held[reference.domains != name]) for name in names}
        self.found: dict[str, np.ndarray] = {}
        self._usual: Usual | None = None

    def shaped(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors of length 1 in the form of the store; codes by dimension keep no mean and scale of a dimension."""
        if self._stored in ("binary", "int8"):
            return unit(open_defence(self._stored).apply(vectors, np.random.default_rng(0))).astype(np.float64)
        if self._stored == "codes by dimension":
            return unit(standardised_like(vectors, self._mean, self._deviation))
        return vectors

    def own(self, n: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Statistics of sets of each domain, by the cloud that never saw it."""
        for name, cloud in self._clouds.items():
            mine = self.plain[self._domains == name]
            sets = [mine[_drawn(mine, n, narrow, random)] for narrow in (False, True) for _ in range(_DRAWS)]
            self.found[name] = np.stack([cloud.features(self.shaped(each)) for each in sets])
        self._usual = Usual.of(np.concatenate([*self.found.values()]))
        return self.found

    def standardised(self, vectors: np.ndarray, clouds: int = 0) -> np.ndarray:
        """Statistics of a set, the mean over the clouds (or the first few), in deviations from those of own sets."""
        assert self._usual is not None
        used = list(self._clouds.values())[: clouds or None]
        features = np.mean([cloud.features(vectors) for cloud in used], axis=0)
        return self._usual.standardised(features)


def _drawn(vectors: np.ndarray, n: int, narrow: bool, random: np.random.Generator) -> np.ndarray:
    """Rows of n vectors of a domain: any, or those around one of them, as stores of one subject are."""
    if narrow:
        centre = vectors[random.integers(len(vectors))]
        near = np.argsort(-(vectors @ centre))[: max(3, len(vectors) // 3)]
        return random.choice(near, n, replace=n > len(near))
    return random.choice(len(vectors), n, replace=n > len(vectors))


def _impostors(
    own: np.ndarray, others: Sequence[np.ndarray], n: int, random: np.random.Generator
) -> Iterator[np.ndarray]:
    """Sets that a suspect did not make: of other suspects, its own ones distorted, and clouds with its moments."""
    d = own.shape[1]
    mean, deviation = own.mean(0), own.std(0)
    turn = np.linalg.qr(random.standard_normal((d, d)))[0]
    root = np.linalg.cholesky(np.cov(own.T) + 1e-6 * np.square(deviation).mean() * np.eye(d))

    def some(vectors: np.ndarray) -> np.ndarray:
        return vectors[random.choice(len(vectors), n, replace=n > len(vectors))]

    for _ in range(_DRAWS):
        for other in others:
            yield some(other)
        yield some(own) @ turn
        yield some(own)[:, random.permutation(d)]
        yield some(own) * random.choice((-1.0, 1.0), d)
        yield unit(random.standard_normal((n, d)))
        yield unit(random.standard_normal((n, d)) * deviation)
        yield unit(mean + random.standard_normal((n, d)) * deviation)
        yield unit(mean + random.standard_normal((n, d)) @ root.T)
        axes = np.linalg.svd((mixed := some(own) - mean), full_matrices=False)[2]
        scores = (own - mean) @ axes.T  # principal components, fitted on the set itself
        yield unit(np.pad(some(scores), ((0, 0), (0, d - len(axes)))) + 1e-6 * random.standard_normal((n, d)))
        yield unit(mixed + 1e-9)
        for most in (0.75, 1.5):  # variances that fall as a power of the rank, as those of principal components do
            decay = random.uniform(0, most)
            yield unit(random.standard_normal((n, d)) * np.arange(1, d + 1) ** -decay)
        for other in (own, *others):
            part = some(other) - other.mean(0)
            yield unit(part @ np.linalg.eigh(np.cov(other.T))[1][:, ::-1])
        weights = random.dirichlet(np.ones(5), n)
        yield unit(np.einsum("nk,nkd->nd", weights, own[random.integers(len(own), size=(n, 5))]))
