"""Geometry: how the vectors of many texts fill their space, beside clouds that are known."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.estimate import Estimate
from workbench.core.marks import Heatmap
from workbench.core.result import Result

_NAMED = 8
"""Dimensions that are named one by one."""


@dataclass(frozen=True)
class Measured:
    """One measure of the vectors, of as many Gaussian vectors that are alike in all directions, and of Gaussian vectors
    with the same mean and covariance (None where these two decide the measure)."""

    value: Estimate
    gaussian: Estimate
    shaped: Estimate | None = None


@dataclass(frozen=True)
class Outlier:
    """A dimension whose mean square is `times` that of the mean dimension."""

    dimension: int
    times: float


@dataclass(frozen=True)
class Spectrum:
    """Share of the variance in the first `components` principal components, of the vectors and of the Gaussian ones."""

    components: int
    share: float
    gaussian: float


@dataclass(frozen=True)
class Geometry(Result):
    """What n vectors of d dimensions look like as a cloud. Gaussian vectors are of length 1 where the vectors are."""

    embedder: str
    about: str
    """Which texts, in words."""
    n: int
    dim: int
    groups: int
    """Documents that the texts come from; intervals leave out whole ones."""
    normalised: bool
    seed: int
    k: int
    """Neighbours that hubness is about."""
    mean_cosine: Measured
    """Of pairs of texts from different documents: 0 is isotropic, near 1 a narrow cone."""
    cosine_spread: Measured
    """Standard deviation of the cosines of all pairs."""
    iso_score: Measured
    """Rudman et al. (2022): 0 is a line, 1 is alike in all directions."""
    participation: Measured
    """Squared sum of the covariance's eigenvalues over the sum of their squares, in dimensions."""
    components_90: Measured
    """Principal components that hold 90% of the variance; the last one counts by its part."""
    top_share: Measured
    """Share of the mean square that the three largest dimensions hold."""
    hubness: Measured
    """Skewness of how often a vector is among the `k` nearest of another one."""
    never_near: Measured
    """Share of the vectors that are among the `k` nearest of no other one."""
    norm: Measured
    norm_spread: Measured
    """Standard deviation of the norms over their mean."""
    norm_limits: tuple[float, float]
    """Least and largest norm."""
    dead: tuple[int, ...]
    """Dimensions with less than a thousandth of the usual spread."""
    outliers: tuple[Outlier, ...]
    """Dimensions with more than five times the mean square of the mean dimension, the largest first."""
    spectrum: tuple[Spectrum, ...]
    seconds: float

    def table(self) -> Table:
        """A row a measure without a unit: these vectors, then both kinds of Gaussian ones."""
        named = [
            ("mean cosine of random pairs", self.mean_cosine),
            ("standard deviation of these cosines", self.cosine_spread),
            ("IsoScore", self.iso_score),
            ("mean square in the 3 largest dimensions", self.top_share),
            (f"hubness: skewness of {self.k}-occurrence", self.hubness),
            (f"among the {self.k} nearest of no text", self.never_near),
        ]
        if not self.normalised:
            named += [("mean norm", self.norm), ("spread of the norms over their mean", self.norm_spread)]
        rows = tuple((name, each.value, each.gaussian, each.shaped) for name, each in named)
        columns = ("measure", self.embedder, "Gaussian, even", "Gaussian, same covariance")
        return Table(columns, rows, f"{self.n:,} vectors of {self.dim} dimensions beside as many Gaussian ones")

    def dimensions(self) -> Table:
        """How many dimensions the vectors fill, beside an even cloud of as many."""
        named = (
            ("participation ratio", self.participation),
            ("principal components for 90% of the variance", self.components_90),
        )
        rows = tuple((name, each.value, each.gaussian) for name, each in named)
        return Table(("in dimensions", self.embedder, "Gaussian, even"), rows, f"Of {self.dim} dimensions", digits=1)

    def variance(self) -> Heatmap:
        """Share of the variance in the first principal components."""
        columns = tuple(f"first {point.components}" for point in self.spectrum)
        values = (tuple(p.share for p in self.spectrum), tuple(p.gaussian for p in self.spectrum))
        return Heatmap("Variance in the first principal components", (self.embedder, "Gaussian"), columns, values)

    def told(self) -> tuple[str, ...]:
        """What the numbers say, a sentence each."""
        cosine, even = self.mean_cosine.value, self.mean_cosine.gaussian.value
        spread, free = self.cosine_spread.value.value, self.cosine_spread.gaussian.value
        filled, room = self.participation.value.value, self.participation.gaussian.value
        hubs, plain = self.hubness.value.value, self.hubness.gaussian.value
        lost = self.never_near.value.value
        away = "" if cosine.low <= even <= cosine.high else ", not 0: judge a cosine against this, not against 0"
        return (
            f"Two random texts have a cosine of {cosine.value:.2f} on average{away}. It varies by {spread:.3f} from "
            f"pair to pair ({free:.3f} in an even cloud), so {cosine.value + 3 * spread:.2f} is three standard "
            "deviations above chance.",
            f"The vectors spread as an even cloud of {filled:.0f} dimensions would (of {room:.0f} that could be seen "
            f"with this many texts, {self.dim} in all); {self.components_90.value.value:.0f} principal components "
            "hold 90% of the variance.",
            f"{100 * lost:.0f}% of the texts are among the {self.k} nearest of no other text; hubness is {hubs:.1f}, "
            f"that of an even cloud {plain:.1f}" + self._shape(),
            self._dimensions(),
            f"All vectors have length {self.norm.value.value:.3g}."
            if self.normalised
            else f"Norms run from {self.norm_limits[0]:.3g} to {self.norm_limits[1]:.3g}: dot product and cosine rank "
            "differently.",
        )

    def blocks(self) -> tuple[Block, ...]:
        """Headline, sentences, the tables, the spectrum, and how it was measured."""
        return (
            Heading("Geometry of the vectors"),
            self._facts(),
            *map(Text, self.told()),
            self.table(),
            self.dimensions(),
            self.variance(),
            Text(self.setting()),
        )

    def brief(self) -> tuple[Block, ...]:
        """Headline and tables."""
        return (Heading("Geometry of the vectors"), self._facts(), self.table(), self.dimensions())

    def setting(self) -> str:
        """How it was measured, in words."""
        return (
            f"{self.n:,} texts: {self.about}. 95% intervals by the jackknife over twenty parts of whole documents "
            f"({self.groups:,}). The Gaussian clouds have as many vectors and dimensions"
            f"{', also of length 1' if self.normalised else ''}, so what few texts alone would do stands beside; "
            f"they are drawn with seed {self.seed}. IsoScore: Rudman et al. 2022; it equals (participation ratio - 1) "
            "/ (dimensions - 1), so the two tell one thing. Hubness: Radovanovic et al. 2010, by cosine."
        )

    def _facts(self) -> Facts:
        odd = len(self.outliers)
        return Facts(
            (
                Fact(
                    "mean cosine of random pairs",
                    f"{self.mean_cosine.value.value:.3f}",
                    f"{self.mean_cosine.value.interval(3)}; 0: isotropic",
                ),
                Fact(
                    "effective dimensions",
                    f"{self.participation.value.value:.0f}",
                    f"of {self.dim}, participation ratio {self.participation.value.interval(0)}",
                ),
                Fact(
                    "hubness",
                    f"{self.hubness.value.value:.2f}",
                    f"{self.hubness.value.interval()}; {self.hubness.gaussian.value:.2f} in an even cloud",
                ),
                Fact(
                    "dimensions apart",
                    f"{odd + len(self.dead)}",
                    f"{odd} outliers, {len(self.dead)} without spread",
                    "warn" if odd else "plain",
                ),
            )
        )

    def _shape(self) -> str:
        shaped = self.hubness.shaped
        return f", of a Gaussian one of the same covariance {shaped.value:.1f}." if shaped else "."

    def _dimensions(self) -> str:
        dead = _listed([str(each) for each in self.dead])
        odd = _listed([f"{each.dimension} ({each.times:.0f} times)" for each in self.outliers])
        return (f"Without spread: {dead}. " if dead else "Every dimension has spread. ") + (
            f"Outliers, by their mean square over the mean dimension's: {odd}." if odd else "No dimension stands out."
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"dimension{'s' if len(names) > 1 else ''} {', '.join(names[:_NAMED])}{more}" if names else ""
