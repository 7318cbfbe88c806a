"""Clusters: what k-means finds among vectors, named by the words of its texts and by the explainer of its centroid."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.estimate import Estimate
from workbench.core.marks import Highlight
from workbench.core.result import Result
from workbench.results._weighted_words import weighted_words

_WORDS, _LONGEST = 6, 130


@dataclass(frozen=True)
class CentroidName:
    """What the explainer says of a centroid. `cosine` lies between the centroid and the description embedded anew,
    `blind_cosine` between it and what the same model says of another vector."""

    description: str
    cosine: float | None
    blind_cosine: float | None


@dataclass(frozen=True)
class Cluster:
    """One cluster; `silhouette` is the mean of its texts."""

    number: int
    size: int
    """Texts, held-out ones too."""
    silhouette: Estimate
    words: tuple[tuple[str, float], ...]
    """What its texts say more than all others, with z-scores."""
    separation: Estimate | None
    """How often the words put a held-out text of the cluster above one that is not in it; None for too few texts."""
    central: tuple[str, ...]
    """The texts next to the centroid."""
    nearest: float
    """Cosine of the first of them with the centroid."""
    name: CentroidName | None = None


@dataclass(frozen=True)
class Clusters(Result):
    """What k-means found among the vectors of `texts` texts; a share was held out of it and of the words."""

    embedder: str
    about: str
    texts: int
    held_out: int
    seed: int
    silhouette: Estimate
    """Mean over the texts, by cosine: 1 is apart, 0 is none at all."""
    floor: Estimate
    """The same for as many clusters of Gaussian vectors with the same mean and covariance."""
    stability: Estimate
    """Adjusted Rand index with k-means from other seeds: 1 finds the same clusters, 0 is chance."""
    naming: Estimate | None
    """Mean separation of the clusters' words; chance is .5."""
    rows: tuple[Cluster, ...]
    """The largest first."""
    explainer: str = ""
    """The checkpoint that named the centroids; empty where none did."""
    seconds: float = 0.0

    def table(self) -> Table:
        """A row a cluster."""
        named = any(row.name for row in self.rows)
        columns = ("cluster", "texts", "words", "AUC of words", "silhouette")
        more = ("explainer's name", "cosine", "blind", "nearest text") if named else ()
        rows = []
        for row in self.rows:
            found = row.name
            near = (found.cosine, found.blind_cosine) if found else (None, None)
            said = (found.description if found else None, *near, row.nearest)
            words = ", ".join(word for word, _ in row.words[:_WORDS]) or "-"
            cells = (f"#{row.number}", row.size, words, row.separation, row.silhouette)
            rows.append((*cells, *(said if named else ())))
        return Table((*columns, *more), tuple(rows), "Clusters, the largest first", digits=2)

    def central(self) -> Highlight:
        """The central texts of each cluster, its words coloured."""
        lines = []
        for row in self.rows:
            weights = dict(row.words)
            for number, text in enumerate(row.central):
                pieces = weighted_words(_short(text), weights)
                lines.append(("" if number else f"#{row.number}", pieces))
        return Highlight("The texts next to each centroid, the cluster's words coloured", tuple(lines))

    def blocks(self) -> tuple[Block, ...]:
        """Headline, what it is worth, the clusters, their central texts."""
        return (
            Heading("Clusters, explained"),
            self._facts(),
            *((Text(self._warning(), "warn"),) if self._warning() else ()),
            self.table(),
            self.central(),
            Text(self.setting()),
        )

    def brief(self) -> tuple[Block, ...]:
        """Headline and table."""
        return (Heading("Clusters, explained"), self._facts(), self.table())

    def setting(self) -> str:
        """How it was made, in words."""
        named = (
            f" The name is what the explainer {self.explainer} says of the centroid alone, without any text. Beside "
            "it stand three cosines with the centroid: of the description, embedded anew; of what the same model says "
            "of another vector (blind); and of the text that is nearest to the centroid."
            if self.explainer
            else ""
        )
        return (
            f"k-means (mini-batches) with {len(self.rows)} clusters on the unit vectors of {self.texts:,} texts "
            f"({self.about}), {self.held_out:,} of them held out; seed {self.seed}. Words are those that a cluster's "
            "learnt texts use more than the others (log-odds with a Dirichlet prior, Monroe et al. 2008); their AUC is "
            "how often they put a held-out text of the cluster above one of another cluster (chance is .5). The floor "
            f"of the silhouette is that of Gaussian vectors with the same mean and covariance.{named}"
        )

    def _facts(self) -> Facts:
        apart = self.silhouette.low > self.floor.high
        items = [
            Fact("clusters", f"{len(self.rows)}", f"of {self.texts:,} texts"),
            Fact(
                "silhouette",
                f"{self.silhouette.value:.3f}",
                f"{self.silhouette.interval(3)}; {self.floor.value:.3f} without any clusters",
                "good" if apart else "warn",
            ),
            Fact(
                "agreement with other seeds",
                f"{self.stability.value:.2f}",
                f"{self.stability.interval()}; adjusted Rand index",
            ),
        ]
        if self.naming:
            items.append(
                Fact(
                    "AUC of words for clusters",
                    f"{self.naming.value:.2f}",
                    f"{self.naming.interval()} on held-out texts; chance .5",
                )
            )
        return Facts(tuple(items))

    def _warning(self) -> str:
        if self.silhouette.low <= self.floor.high:
            return (
                "The clusters are no further apart than those that k-means cuts out of a cloud without any: read them "
                "as regions of one cloud, not as kinds of text."
            )
        if self.silhouette.value < 0.25:
            return (
                "The clusters are more than chance, but they touch: most texts lie near a border, and another seed "
                "cuts elsewhere. Read them as regions of the space, not as kinds of text."
            )
        return ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rsplit(" ", 1)[0] + "\u2026"
