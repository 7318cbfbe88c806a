"""Interpret an embedder: geometry, probes, fingerprint, attributions and named clusters as one result."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Float

from workbench.core import checkpoint
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, WorkbenchError
from workbench.core.progress import progress
from workbench.core.text import normalise
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.data.tasks import task_card
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.embed._vector_cache import cached_vectors
from workbench.explain import open_explainer
from workbench.jobs._chosen_pairs import POOL, chosen_pairs
from workbench.jobs._embedder_facts import embedder_facts
from workbench.jobs.fingerprint_store import fingerprint_store
from workbench.jobs.probe_embedders import ProbeOptions, probe_embedders
from workbench.probe._clusters import LEAST_A_CLUSTER, Clustering, find_clusters
from workbench.probe._geometry import LEAST, measure_geometry
from workbench.results.clusters import CentroidName, Clusters
from workbench.results.fingerprint import Fingerprint
from workbench.results.interpretation import ChosenPair, Interpretation
from workbench.results.probe_scores import ProbeScores

TASKS = ("length", "question", "negation", "digit", "topic", "sentiment")
NO_EXPLAINER = "none"
_SECTIONS = 5
_MOST_TEXTS = 20_000
"""Neighbours and silhouettes look at all pairs."""
_LIMITS = (
    "The numbers hold for the texts that they were measured on. Other domains, languages and lengths fill the space "
    "otherwise; --corpus takes texts of your own.",
    "A linear probe shows what can be read off vectors, not what the embedder was made for or what an application "
    "uses. It learnt from few rows here: a low score does not show that nothing is there (`workbench probe --all`).",
    "Attributions are those of single pairs and depend on the reference and the method. They show how a cosine comes "
    "about and prove nothing about all cosines (`workbench attribute --evaluate` measures how faithful they are).",
    "The number of clusters was chosen beforehand, and k-means finds as many in any cloud: read the silhouette and the "
    "agreement of seeds before the names. What an explainer says of a centroid may be invented.",
    "Nothing here says that the embedder is fit for a purpose, fair, or that its vectors may be shown to anyone: "
    "`workbench audit` measures what they give away.",
)


@dataclass(frozen=True)
class InterpretOptions:
    """How much of each section."""

    texts: int = 3000
    """Texts for geometry and clusters."""
    corpus: str = "conservative"
    """A named corpus, of which the test split is taken, or a file of texts."""
    tasks: tuple[str, ...] = TASKS
    rows: int = 400
    """Training items a probing task; 0: all."""
    clusters: int = 20
    random_pairs: int = 2
    """Pairs of paraphrases beside the median and the best one."""
    among: tuple[str, ...] = ()
    """Embedders that the fingerprint thinks of; empty: no fingerprint."""
    explainer: str = ""
    """Checkpoint that names clusters; empty: the shipped one where there is one; `none`."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.clusters < 2 or not self.least_texts <= self.texts <= _MOST_TEXTS:
            raise BadInput(
                f"{self.texts} texts for {self.clusters} clusters; expected at least 2 clusters, and "
                f"{self.least_texts} to {_MOST_TEXTS:,} texts"
            )
        if self.random_pairs < 0 or self.rows < 0:
            raise BadInput(f"rows is {self.rows} and random_pairs {self.random_pairs}; expected 0 or more")

    @property
    def least_texts(self) -> int:
        """Fewest texts that will do for so many clusters."""
        return max(LEAST, LEAST_A_CLUSTER * self.clusters)

    @property
    def own_texts(self) -> bool:
        """Whether the corpus is a file (or a data set of the hub), not one of the named ones."""
        path = Path(self.corpus)
        named = self.corpus in corpora.names()
        return not named and bool(path.suffix or path.is_file() or self.corpus.startswith("hf:"))

    def command(self, embedder: str) -> str:
        """The command that makes the page again."""
        words = ["workbench", "report", "interpret", embedder, "--texts", self.texts, "--corpus", self.corpus]
        words += [word for task in self.tasks for word in ("--task", task)]
        words += ["--rows", self.rows, "--clusters", self.clusters, "--random-pairs", self.random_pairs]
        words += [word for other in self.among for word in ("--among", other)]
        words += ["--explainer", self.explainer] if self.explainer else []
        return shlex.join(map(str, [*words, "--seed", self.seed]))


def interpret_embedder(
    name: str, options: InterpretOptions = InterpretOptions(), device: str = "auto"
) -> Interpretation:
    """Measure and explain the embedder `name`. A section that it cannot have says why.

    Raises UnknownName for embedders, tasks and corpora, before any work where that can be seen; BadInput for too few
    texts.
    """
    began = time.monotonic()
    for task in options.tasks:
        task_card(task)
    if options.explainer not in ("", NO_EXPLAINER):
        checkpoint.locate(options.explainer)
    with progress("interpret", _SECTIONS, "sections") as advance:
        opened = _opened(name, options, device, advance)
        probes, missing = _probes(name, options, device)
        advance(1)
    return replace(
        opened,
        probes=probes,
        absent=(*missing, *opened.absent),
        seconds=time.monotonic() - began,
    )


def _opened(name: str, options: InterpretOptions, device: str, advance: Callable[[int], None]) -> Interpretation:
    """All but the probes, which open the embedder themselves: this one is let go before."""
    embedder = load_embedder(name, device)
    corpus, about = _texts(options)
    # vectors of a user's own texts are not left in the cache: they would give the texts away
    vectors = embedder.embed(corpus.texts) if options.own_texts else cached_vectors(embedder, corpus.texts)
    groups = np.array(corpus.groups, object)
    geometry = measure_geometry(vectors, groups, name, about, options.seed)
    advance(1)
    fingerprint, no_fingerprint = _fingerprint(corpus, vectors, options, device)
    advance(1)
    pairs, no_pairs = _pairs(embedder, options)
    advance(1)
    found = find_clusters(vectors, corpus.texts, options.clusters, groups, name, about, options.seed)
    clusters, no_names = _named(found, embedder, options.explainer, device)
    advance(1)
    packages = {package: version(package) for package in ("numpy", "scikit-learn")}
    versions = {**embedder.provenance().versions, **packages}
    return Interpretation(
        embedder=name,
        facts=embedder_facts(embedder),
        geometry=geometry,
        probes=None,
        fingerprint=fingerprint,
        pairs=pairs,
        pair_pool=POOL,
        clusters=clusters,
        absent=(*no_fingerprint, *no_pairs, *no_names),
        limits=_LIMITS,
        command=options.command(name),
        versions=tuple(versions.items()),
        made=f"Made {time.strftime('%Y-%m-%d %H:%M')} by embedding-workbench {version('embedding-workbench')}",
        seconds=0.0,
    )


_Absent = tuple[tuple[str, str], ...]


def _texts(options: InterpretOptions) -> tuple[Corpus, str]:
    """The texts, and which they are. Raises BadInput for too few."""
    if options.own_texts:
        whole = corpora.read(options.corpus)
        first: dict[str, int] = {}
        for row, text in enumerate(whole.texts):
            first.setdefault(normalise(text), row)
        first.pop("", None)
        rows = np.random.default_rng(options.seed).permutation([*first.values()])[: options.texts]
        found = whole.where(np.sort(rows))
        drawn = ", drawn at random" if len(found) < len(first) else ""
        about = f"{len(found):,} different texts of {whole.name}{drawn}"
    else:
        found = corpora.load(options.corpus, "test", options.texts)
        about = f"the first {len(found):,} of the test split of {options.corpus}, in the order of their hashes"
    if len(found) < options.least_texts:
        raise BadInput(f"{options.corpus} has {len(found)} different texts; expected at least {options.least_texts}")
    return found, about


def _fingerprint(
    corpus: Corpus, vectors: Float[np.ndarray, "n d"], options: InterpretOptions, device: str
) -> tuple[Fingerprint | None, _Absent]:
    if not options.among:
        why = "Not asked for: --among EMBEDDER, once for each that may have made the vectors, adds it."
        return None, (("fingerprint", why),)
    store = EmbeddingSet(np.array(corpus.ids, object), vectors)
    return fingerprint_store(store, options.among, seed=options.seed, device=device), ()


def _pairs(embedder: Embedder, options: InterpretOptions) -> tuple[tuple[ChosenPair, ...], _Absent]:
    if not isinstance(embedder, GradEmbedder):
        why = f"{embedder.spec.name} gives vectors alone: without its weights no cosine can be traced to words."
        return (), (("attributions", why),)
    try:
        return chosen_pairs(embedder, options.random_pairs, options.seed), ()
    except WorkbenchError as error:
        return (), (("attributions", f"No attributions: {error}."),)


def _probes(name: str, options: InterpretOptions, device: str) -> tuple[ProbeScores | None, _Absent]:
    if not options.tasks:
        return None, (("probes", "No task was asked for."),)
    return probe_embedders([name], options.tasks, ProbeOptions(options.rows, seed=options.seed), device), ()


def _named(found: Clustering, embedder: Embedder, wanted: str, device: str) -> tuple[Clusters, _Absent]:
    """Clusters with the explainer's names of their centroids where it has some."""
    if wanted == NO_EXPLAINER:
        return found.clusters, (("clusters", "The clusters have no names but their words: no explainer was wanted."),)
    if not wanted:
        try:
            wanted = checkpoint.for_embedder("explainer", embedder.spec.name)
        except BadInput as error:
            return found.clusters, (("clusters", f"The clusters have no names but their words: {error}."),)
    explainer = open_explainer(embedder, wanted, device)
    centroids = found.centroids.astype(np.float32)
    ids = np.array([str(row.number) for row in found.clusters.rows], object)
    said = explainer.describe(EmbeddingSet(ids, centroids), claims=False)
    rows = tuple(
        replace(row, name=CentroidName(one.description, one.cosine, one.blind_cosine))
        for row, one in zip(found.clusters.rows, said.rows, strict=True)
    )
    return replace(found.clusters, rows=rows, explainer=explainer.checkpoint), ()
