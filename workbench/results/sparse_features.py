"""SparseFeatures: the features that a sparse autoencoder found in vectors, named, and how well they rebuild them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from workbench.core.blocks import Block, Fact, Facts, Heading, Intervals, Series, Table, Text
from workbench.core.estimate import Estimate
from workbench.core.marks import Heatmap, Highlight
from workbench.core.result import Result
from workbench.results._weighted_words import weighted_words

_SHOWN, _ACTIVE_SHOWN = 20, 10
_MARKED = 8
_BINS = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
"""Limits of the shares of texts by which features are counted."""


@dataclass(frozen=True)
class Reconstruction:
    """How well one way to write a vector with few numbers gives it back, on held-out vectors.

    `explained` is the share of the variance, `cosine` the mean cosine with the true vector; `numbers` says what a
    vector is written with.
    """

    method: str
    numbers: str
    explained: Estimate
    cosine: Estimate


@dataclass(frozen=True)
class SparseFeature:
    """One feature. `share` is that of the learnt texts in which it is active; `top` are the most active ones.

    `words` are those that its top texts use more than the rest, with their z-scores; `separation` is how often the
    words put a held-out text in which it is active above one in which it is not, None where too few are active.
    """

    number: int
    share: float
    held_out_active: int
    words: tuple[tuple[str, float], ...]
    top: tuple[str, ...]
    separation: Estimate | None

    @property
    def name(self) -> str:
        """Its first words, or a dash."""
        return ", ".join(word for word, _ in self.words[:5]) or "-"


@dataclass(frozen=True)
class SparseFeatures(Result):
    """What a sparse autoencoder with `features` features, at most `k` of them a vector, found in vectors."""

    title: str
    embedder: str
    dim: int
    features: int
    k: int
    learnt: int
    """Vectors that it was trained on, duplicates left out."""
    held_out: int
    """Vectors that it never saw, on which it was measured."""
    ours: Reconstruction
    floors: tuple[Reconstruction, ...]
    dead: Estimate
    """Share of the features that no learnt vector activates."""
    active: Estimate
    """Mean number of active features of a held-out vector."""
    naming: Estimate | None
    """Mean separation over the features that have words and enough active texts; None without texts."""
    naming_strong: Estimate | None
    """The same where a text counts as active from half of the feature's largest activation on."""
    naming_floor: Estimate | None
    """The same as `naming` with the words of another feature: chance is .5."""
    rows: tuple[SparseFeature, ...]
    """The features that are not dead."""
    seconds: float
    """Time that the training took."""

    def table(self) -> Table:
        """Reconstruction beside the floors."""
        rows = tuple((each.method, each.numbers, each.explained, each.cosine) for each in (self.ours, *self.floors))
        columns = ("method", "a vector is", "variance explained", "mean cosine")
        return Table(columns, rows, f"Reconstruction of {self.held_out:,} held-out vectors", strong=(0,))

    def chart(self) -> Intervals:
        """Variance explained of every method on one axis."""
        every = (self.ours, *self.floors)
        series = Series("variance explained", tuple(each.explained for each in every))
        labels = tuple(each.method for each in every)
        return Intervals("How much of held-out vectors comes back", "share of the variance", labels, (series,), 1.0)

    def densities(self) -> Heatmap:
        """Share of the features by the share of texts in which they are active; dead ones count as 0."""
        shares = [row.share for row in self.rows]
        counts = [sum(low < share <= high for share in shares) for low, high in pairwise(_BINS)]
        counts = [self.features - len(shares), *counts]
        names = ("dead", *(f"to {100 * high:g}%" for high in _BINS[1:]))
        values = (tuple(count / self.features for count in counts),)
        return Heatmap("Features by the share of texts that activate them", ("features",), names, values)

    def best_named(self) -> tuple[SparseFeature, ...]:
        """Features whose words foretell them best on held-out texts, by the lower end of the interval."""
        found = [(row.separation.low, row) for row in self.rows if row.separation]
        return tuple(row for _, row in sorted(found, key=lambda pair: -pair[0])[:_SHOWN])

    def most_active(self) -> tuple[SparseFeature, ...]:
        """Features that are active in the most texts."""
        return tuple(sorted(self.rows, key=lambda row: -row.share)[:_ACTIVE_SHOWN])

    def blocks(self) -> tuple[Block, ...]:
        """Headline, chart and floors, densities, and features by their words."""
        named = self.best_named()
        shown: tuple[Block, ...] = (_features(self.most_active(), "The most active features"),)
        if named:
            shown = (
                _highlight(named[:_MARKED]),
                _features(named, "Features whose words foretell them best on held-out texts"),
                *shown,
            )
        return (
            Heading(self.title),
            self._facts(),
            Text(self.setting()),
            self.chart(),
            self.table(),
            self.densities(),
            Heading("Features", 2),
            *shown,
        )

    def brief(self) -> tuple[Block, ...]:
        """Headline, floors, and some features."""
        rows = (self.best_named() or self.most_active())[:10]
        return (Heading(self.title), self._facts(), self.table(), _features(rows, "Some features", texts=False))

    def setting(self) -> str:
        """What was learnt from what, in words."""
        naming = (
            " A feature's words are those that its top learnt texts use more than the rest (log-odds with a Dirichlet "
            "prior, Monroe et al. 2008); the AUC is how often they put a held-out text that activates the feature, "
            "however weakly, above one that does not (chance is .5). Tables pick the best of many, so expect somewhat "
            "less on new texts."
            if self.naming
            else " The vectors came without texts, so features have no words; texts are given by their ids."
        )
        return (
            f"{self.features:,} features, at most {self.k} a vector, learnt from {self.learnt:,} vectors of "
            f"{self.embedder} with {self.dim} dimensions in {_duration(self.seconds)}; {self.held_out:,} other "
            f"vectors, chosen by the hash of the text, were never seen in training. 95% intervals.{naming}"
        )

    def _facts(self) -> Facts:
        best = max(self.floors, key=lambda each: each.explained.value)
        beats = self.ours.explained.low > best.explained.high
        items = [
            Fact(
                "of the variance of held-out vectors explained",
                _percent(self.ours.explained),
                f"{_interval(self.ours.explained)}; best floor, {best.method}: {_percent(best.explained)}",
                "good" if beats else "warn",
            ),
            Fact("features active in a vector", f"{self.active.value:.1f}", f"of {self.features:,}; at most {self.k}"),
            Fact("of the features dead", _percent(self.dead), "no learnt vector activates them"),
        ]
        if self.naming:
            strong = f"; {self.naming_strong.value:.2f} for strong activations" if self.naming_strong else ""
            other = f"; {self.naming_floor.value:.2f} with another feature's words" if self.naming_floor else ""
            note = f"mean of {self.naming.n:,} features{strong}{other}"
            items.append(Fact("AUC of words for features", f"{self.naming.value:.2f}", note))
        return Facts(tuple(items))


def _features(rows: tuple[SparseFeature, ...], caption: str, texts: bool = True) -> Table:
    columns = ("feature", "active in %", "AUC", "words", *(("top texts",) if texts else ()))
    cells = tuple(
        (
            f"#{row.number}",
            100 * row.share,
            row.separation,
            row.name,
            *((" \u00b7 ".join(_short(text) for text in row.top[:2]),) if texts else ()),
        )
        for row in rows
    )
    return Table(columns, cells, caption, digits=2)


def _highlight(rows: tuple[SparseFeature, ...]) -> Highlight:
    """The top text of each feature, its words coloured."""
    lines = []
    for row in rows:
        weights = dict(row.words)
        for number, text in enumerate(row.top[:2]):
            pieces = weighted_words(_short(text, 160), weights)
            lines.append(("" if number else f"#{row.number}", pieces))
    return Highlight("Top texts of the best named features, their words coloured", tuple(lines))


def _short(text: str, most: int = 110) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + "\u2026"


def _percent(value: Estimate) -> str:
    return f"{100 * value.value:.1f}%"


def _interval(value: Estimate) -> str:
    return f"{100 * value.low:.1f} to {100 * value.high:.1f}" if value.has_interval else value.interval()


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} seconds"
