"""Interpretation: one page on an embedder, made of other results; what could not be had says why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.marks import Heatmap, Highlight
from workbench.core.result import Result
from workbench.results.attribution import PairAttribution
from workbench.results.clusters import Clusters
from workbench.results.fingerprint import Fingerprint
from workbench.results.geometry import Geometry
from workbench.results.probe_scores import ProbeScores

SECTIONS = {
    "probes": "Probes",
    "fingerprint": "Fingerprint of the vectors",
    "attributions": "Which words a cosine comes from",
    "clusters": "Clusters, explained",
}
"""Sections that may be missing, with their headings."""


@dataclass(frozen=True)
class ChosenPair:
    """The cosine of a pair of paraphrases in shares of its words, and the rule by which the pair was chosen."""

    rule: str
    pair: PairAttribution


@dataclass(frozen=True)
class Interpretation(Result):
    """All that was found out about one embedder. `absent` pairs a section that could not be had with the reason."""

    embedder: str
    facts: tuple[tuple[str, str], ...]
    """What is known of it, by name."""
    geometry: Geometry
    probes: ProbeScores | None
    fingerprint: Fingerprint | None
    pairs: tuple[ChosenPair, ...]
    pair_pool: int
    """Pairs of paraphrases that were chosen from."""
    clusters: Clusters | None
    absent: tuple[tuple[str, str], ...]
    limits: tuple[str, ...]
    command: str
    """What makes the page again."""
    versions: tuple[tuple[str, str], ...]
    made: str
    seconds: float

    @property
    def title(self) -> str:
        """Title of the page."""
        return f"Interpretation of {self.embedder}"

    def blocks(self) -> tuple[Block, ...]:
        """The whole page."""
        return (
            Heading(self.title, 1),
            self._headline(),
            Table(("what is known", ""), self.facts),
            *self.geometry.blocks(),
            *self._part("probes", self.probes),
            *self._part("fingerprint", self.fingerprint),
            *self._attributions(),
            *self._part("clusters", self.clusters),
            Heading("Limits"),
            *map(Text, self.limits),
            Heading("How to make this page again"),
            Text(self.command),
            Text(f"{', '.join(f'{name} {number}' for name, number in self.versions)}; {self.seconds:.0f} seconds."),
        )

    def brief(self) -> tuple[Block, ...]:
        """Headline, geometry, probes and clusters in short."""
        parts = [part.brief() for part in (self.geometry, self.probes, self.clusters) if part]
        return (
            Heading(self.title, 1),
            self._headline(),
            *(block for part in parts for block in part if not isinstance(block, Facts)),
            *(Text(f"{SECTIONS.get(name, name)}: {why}") for name, why in self.absent),
        )

    def _headline(self) -> Facts:
        geometry = self.geometry
        items = [
            Fact(
                "effective dimensions",
                f"{geometry.participation.value.value:.0f}",
                f"{geometry.participation.value.interval(0)} of {geometry.dim}; "
                f"{geometry.components_90.value.value:.0f} hold 90% of the variance",
            ),
            Fact(
                "cosine of random texts",
                f"{geometry.mean_cosine.value.value:.2f}",
                f"{geometry.mean_cosine.value.interval()}, and {geometry.cosine_spread.value.value:.2f} up and down "
                "from pair to pair",
            ),
        ]
        if self.probes and self.probes.rows:
            best = max(self.probes.rows, key=lambda row: row.selectivity.value)
            least = min(self.probes.rows, key=lambda row: row.selectivity.value)
            note = f"{best.selectivity.text(2)} above its control; least: {least.label}, {least.selectivity.value:.2f}"
            items.append(Fact("read best by a linear probe", best.label, note))
        if self.clusters:
            apart, floor = self.clusters.silhouette, self.clusters.floor
            note = f"silhouette {apart.interval()}; {floor.value:.2f} in a cloud without clusters"
            items.append(Fact("how far clusters are apart", f"{apart.value:.2f}", note))
        return Facts(tuple(items))

    def _part(self, name: str, part: Result | None) -> tuple[Block, ...]:
        """The blocks of a part, or its heading and why it is missing."""
        why = tuple(Text(reason) for key, reason in self.absent if key == name)
        return (*part.blocks(), *why) if part else (Heading(SECTIONS[name]), *why)

    def _attributions(self) -> tuple[Block, ...]:
        if not self.pairs:
            return self._part("attributions", None)
        rows = []
        for each in self.pairs:
            inside, left, right, corner = (value for _, value in each.pair.parts())
            rows.append((each.rule, each.pair.score, inside, left + right, corner, each.pair.completeness_error))
        columns = ("", "cosine", "pairs of words", "words with reference", "both references", "not accounted for")
        shown = []
        for each in self.pairs:
            marks = [block for block in each.pair.brief() if isinstance(block, Highlight | Heatmap)]
            shown += [_captioned(mark, f"{each.rule.capitalize()}, cosine {each.pair.score:.2f}") for mark in marks]
        first = self.pairs[0].pair
        return (
            Heading(SECTIONS["attributions"]),
            Text(
                f"{len(self.pairs)} pairs of sentences that share a translation (Tatoeba), chosen among "
                f"{self.pair_pool:,} by a rule and not by eye: the one with the median cosine, the one with the "
                "highest of those that do not consist of the same words, and some at random. Every pair of words has "
                "its share of the cosine; with the reference (a text of the same length that says nothing) the shares "
                f"sum to it. Method: {first.method}, by words; blue raises the cosine, orange lowers it. "
                "A word's colour in a text is its share over the whole other text."
            ),
            Table(columns, tuple(rows), "What the cosines are made of"),
            *shown,
        )


def _captioned(mark: Highlight | Heatmap, pair: str) -> Highlight | Heatmap:
    """With the pair in the caption of its texts, so that the caption stands for a heading."""
    return replace(mark, caption=f"{pair}: what each word gives") if isinstance(mark, Highlight) else mark
