"""A cloud of vectors and its measures, each with the interval that leaving out documents gives it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from workbench.core.estimate import Estimate, proportion
from workbench.core.vectors import nearest_others, unit

NEAREST = 10
"""Neighbours that hubness is about."""
TOP = 3
_PARTS = 20
"""Parts of the jackknife."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """Vectors with their documents. Every measure is taken of all and with each part of the documents left out."""

    vectors: Float[np.ndarray, "n d"]
    documents: Int[np.ndarray, " n"]
    seed: int

    def measures(self) -> dict[str, Estimate]:
        """All measures by the names that `Geometry` gives them."""
        dim = self.vectors.shape[1]
        counted = list(self._occurrences())
        norms = np.linalg.norm(self.vectors, axis=1)
        lengths = [norms, *(norms[self.parts != part] for part in range(self.count))]
        bounded = (0.0, 1.0)
        return {
            "mean_cosine": self._estimate(self._mean_cosines(), (-1.0, 1.0)),
            "cosine_spread": self._estimate(self._cosine_spreads(), bounded),
            "iso_score": self._estimate(iso_score(self.spectra, dim), bounded),
            "participation": self._estimate(participation_ratio(self.spectra), (1.0, float(dim))),
            "components_90": self._estimate(components_for(self.spectra), (0.0, float(dim))),
            "top_share": self._estimate(self._top_shares(), bounded),
            "hubness": self._estimate([skewness(each) for each in counted]),
            "never_near": self._rate([float((each == 0).mean()) for each in counted]),
            "norm": self._estimate([each.mean() for each in lengths]),
            "norm_spread": self._estimate([each.std() / each.mean() for each in lengths]),
        }

    @cached_property
    def parts(self) -> Int[np.ndarray, " n"]:
        """For each vector its part of the jackknife: whole documents, the largest first into the smallest part."""
        sizes = np.bincount(self.documents)
        order = np.random.default_rng(self.seed).permutation(len(sizes))
        order = order[np.argsort(-sizes[order], kind="stable")]
        load = [(0, part) for part in range(min(_PARTS, len(sizes)))]
        part_of = np.empty(len(sizes), np.int64)
        for document in order:
            held, part = heapq.heappop(load)
            part_of[document] = part
            heapq.heappush(load, (held + int(sizes[document]), part))
        return part_of[self.documents]

    @cached_property
    def count(self) -> int:
        """Number of parts."""
        return int(self.parts.max()) + 1

    @cached_property
    def sizes(self) -> Float[np.ndarray, " parts"]:
        """Vectors of each part."""
        return np.bincount(self.parts).astype(np.float64)

    @cached_property
    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates in the principal axes, and the variance along each."""
        centred = self.vectors - self.vectors.mean(0)
        left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
        return left * sizes, sizes**2 / len(centred)

    @property
    def variances(self) -> Float[np.ndarray, " r"]:
        """Eigenvalues of the covariance, the largest first."""
        return self._axes[1]

    @cached_property
    def spectra(self) -> Float[np.ndarray, "parts_plus_1 r"]:
        """The same of all vectors, then with each part left out, to first order: along the axes of all vectors."""
        coordinates, variances = self._axes
        kept = (len(coordinates) - self.sizes)[:, None]
        means = -self._sums(coordinates) / kept
        squares = np.square(coordinates)
        left = (squares.sum(0) - self._sums(squares)) / kept - means**2
        return np.vstack([variances, left])

    def _sums(self, table: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "parts c"]:
        return np.stack([table[self.parts == part].sum(0) for part in range(self.count)])

    @cached_property
    def _unit(self) -> np.ndarray:
        return unit(self.vectors)

    def _mean_cosines(self) -> list[float]:
        """Of all pairs of different documents, from sums of unit vectors alone."""
        documents, sizes = self.documents, np.bincount(self.documents).astype(np.float64)
        totals = np.zeros((len(sizes), self._unit.shape[1]))
        np.add.at(totals, documents, self._unit)
        inside = np.stack([np.square(totals).sum(1), sizes**2], 1)[documents] / sizes[documents, None]
        within, sums = self._sums(inside), self._sums(self._unit)
        pairs = [(sums.sum(0), len(documents), within.sum(0))]
        for part in range(self.count):
            pairs.append((sums.sum(0) - sums[part], len(documents) - self.sizes[part], within.sum(0) - within[part]))
        return [float((total @ total - w[0]) / (n**2 - w[1])) for total, n, w in pairs]

    def _cosine_spreads(self) -> list[float]:
        """Standard deviation of the cosines of all pairs, from the Gram matrix of the dimensions."""
        sums, whole = self._sums(self._unit), self._unit.T @ self._unit

        def spread(gram: np.ndarray, total: np.ndarray, n: int) -> float:
            pairs = n * (n - 1)
            squares, mean = (np.square(gram).sum() - n) / pairs, (total @ total - n) / pairs
            return float(np.sqrt(max(squares - mean**2, 0.0)))

        found = [spread(whole, sums.sum(0), len(self._unit))]
        for part in range(self.count):
            rows = self._unit[self.parts == part]
            found.append(spread(whole - rows.T @ rows, sums.sum(0) - sums[part], len(self._unit) - len(rows)))
        return found

    def _top_shares(self) -> list[float]:
        """Share of the dimensions that are largest in all vectors."""
        squares = self._sums(np.square(self.vectors))
        top = np.argsort(-squares.sum(0))[:TOP]
        tables = [squares.sum(0), *(squares.sum(0) - squares)]
        return [float(table[top].sum() / table.sum()) for table in tables]

    def _occurrences(self) -> Iterator[Float[np.ndarray, " _"]]:
        """How often each vector is among the nearest of another one: of all, then with each part left out."""
        near = nearest_others(self._unit, 3 * NEAREST)
        yield np.bincount(near[:, :NEAREST].ravel(), minlength=len(near)).astype(np.float64)
        for part in range(self.count):
            kept = self.parts != part
            stays = kept[near] & kept[:, None]
            taken = stays & (np.cumsum(stays, axis=1) <= NEAREST)
            yield np.bincount(near[taken], minlength=len(near))[kept].astype(np.float64)

    def _rate(self, values: Sequence[float]) -> Estimate:
        """A share; where it is 0 or 1 no part varies, and the exact interval says what the sample could have missed."""
        n = int(self.documents.max()) + 1  # vectors of one document are no independent ones
        if n == 1:
            return Estimate.without_interval(float(values[0]), 1, "1 document")
        return proportion(round(n * values[0]), n) if values[0] in (0.0, 1.0) else self._estimate(values, (0.0, 1.0))

    def _estimate(
        self, values: Sequence[float] | Float[np.ndarray, " _"], limits: tuple[float, float] = (-np.inf, np.inf)
    ) -> Estimate:
        """The first value, with the delete-a-group jackknife's interval from the others."""
        from scipy.stats import t

        value, left = float(values[0]), np.asarray(values[1:], np.float64)
        g = len(left)
        if g == 1:
            return Estimate.without_interval(value, 1, "1 document")
        half = float(t.ppf(0.975, g - 1) * np.sqrt((g - 1) / g * np.square(left - left.mean()).sum()))
        low, high = max(limits[0], value - half), min(limits[1], value + half)
        return Estimate(value, min(low, value), max(high, value), len(self.vectors), f"jackknife, {g} parts")


def participation_ratio(variances: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    """Squared sum over sum of squares: d where all variances are alike, 1 where one holds everything."""
    return variances.sum(-1) ** 2 / np.square(variances).sum(-1)


def iso_score(variances: Float[np.ndarray, "m d"], dim: int) -> Float[np.ndarray, " m"]:
    """IsoScore (Rudman et al. 2022, Findings of ACL) of a covariance with these eigenvalues, in `dim` dimensions.

    Their steps (normalise the eigenvalues, take the defect from the identity, rescale it) come to this line.
    """
    return (participation_ratio(variances) - 1) / (dim - 1)


def components_for(variances: Float[np.ndarray, "m d"], share: float = 0.9) -> Float[np.ndarray, " m"]:
    """Principal components that hold `share` of the variance; the last one counts by the part that is needed."""
    ordered = -np.sort(-variances, axis=-1)
    grown = np.cumsum(ordered, axis=-1) / ordered.sum(-1, keepdims=True)
    place = (grown < share).sum(-1, keepdims=True)
    before = np.where(place > 0, np.take_along_axis(grown, np.maximum(place - 1, 0), -1), 0.0)
    step = np.take_along_axis(grown, place, -1) - before
    return (place + (share - before) / step)[..., 0]


def skewness(counts: Float[np.ndarray, " n"]) -> float:
    """Third central moment over the cube of the standard deviation; 0 for counts that are all alike."""
    apart = counts - counts.mean()
    spread = apart.std()
    return float((apart**3).mean() / spread**3) if spread else 0.0
