"""Measure how far an explainer can be believed, on held-out texts and beside floors and controls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Shaped

from workbench.core import checkpoint as checkpoints
from workbench.core.errors import BadInput
from workbench.core.estimate import mean, proportion, ratio
from workbench.core.progress import progress
from workbench.core.vectors import live, unit
from workbench.data import corpora
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import SHARD, cached_vectors
from workbench.explain import Explainer, open_explainer
from workbench.explain._bundle import KIND
from workbench.explain._words import cut
from workbench.jobs._explain_data import empty_vectors, siblings_of
from workbench.jobs._explain_items import ASK, Pool, Segment, content_words, evaluation_questions, gather_pool
from workbench.jobs._explain_measures import (
    TOGETHER,
    Linear,
    Told,
    closed_forms,
    log_odds,
    moved,
    partners,
    score_descriptions,
    score_questions,
    spearman,
    spread_out,
)
from workbench.jobs._explain_mixture import Mixture, load_mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.lm.soft_prompt import DESCRIBE
from workbench.results import (
    Abstention,
    Counterfactual,
    DescriptionScores,
    DomainScores,
    ExplainerScores,
    QuestionScores,
)
from workbench.results.explanations import UNCLEAR

_LEAST = 30
"""Texts, and questions of one kind, below which nothing is measured."""
_WORDS = (4, 24)
_FEW, _MANY = 256, 1000
"""Vectors among which the true one is sought."""
_KNOWN = 10 * SHARD
"""Training texts that the nearest one is sought in; whole shards, which training has left in the cache."""
_KEYWORDS = 8
_MOST_ASKED = 60
"""Questions on one attribute."""
_DIRECTIONS, _MOVED, _STEPS = 5, 24, 7
_EMPTY = 60


def evaluate_explainer(
    embedder: Embedder, checkpoint: str = "", n: int = 300, seed: int = 0, device: str = "auto"
) -> ExplainerScores:
    """Scores of a checkpoint (a name or a folder; empty: the shipped one for `embedder`) on n texts of each corpus.

    Raises BadInput where n is below 30 or the checkpoint was trained on another embedder, UnknownName.
    """
    _require(n)
    folder = checkpoints.locate(checkpoint or checkpoints.for_embedder(KIND, embedder.spec.name))
    recipe = ExplainerRecipe(**checkpoints.open_card(folder, KIND).training["recipe"])
    return evaluate(open_explainer(embedder, str(folder), device), recipe, load_mixture(), n, seed)


def evaluate(
    explainer: Explainer,
    recipe: ExplainerRecipe,
    mixture: Mixture,
    n: int,
    seed: int,
    others: Sequence[str] = ("imdb",),
) -> ExplainerScores:
    """Scores on the first n test texts of 4 to 24 words of the recipe's corpus, and of `others`, which training never
    saw. Attributes and directions are asked for on the recipe's corpus and the probing tasks alone."""
    _require(n)
    began = time.monotonic()
    measure = _Measure(explainer, recipe, mixture, n, seed)
    held = [measure.hold(corpus) for corpus in (recipe.corpus, *others)]
    said = [measure.describe(each) for each in held]
    domains = [measure.domain(each, told) for each, told in zip(held, said, strict=True)]
    texts = [
        Abstention(f"texts of {each.corpus}", proportion(told.count(UNCLEAR), n), False)
        for each, told in zip(held, said, strict=True)
    ]
    name = explainer.checkpoint or f"An explainer of {explainer.embedder.spec.name}"
    return ExplainerScores(
        title=f"{name}, measured on held-out texts of {_WORDS[0]} to {_WORDS[1]} words",
        embedder=explainer.embedder.spec.name,
        model=explainer.bundle.model.name,
        checkpoint=explainer.checkpoint,
        domains=tuple(domains),
        counterfactuals=measure.counterfactuals(held[0]),
        abstentions=(*texts, *measure.empty(held[0])),
        seconds=time.monotonic() - began,
        seed=seed,
    )


def _require(n: int) -> None:
    if n < _LEAST:
        raise BadInput(f"n is {n}; expected at least {_LEAST} texts")


@dataclass(frozen=True)
class _Held:
    """Test texts of a corpus with unit vectors, of which the first n are described, and the pool that is asked on."""

    corpus: str
    pool: Pool
    texts: tuple[str, ...]
    groups: Shaped[np.ndarray, " n"]
    """Documents of the first n."""
    vectors: Float[np.ndarray, "m d"]


class _Measure:
    """One explainer and all that its measurements share."""

    def __init__(self, explainer: Explainer, recipe: ExplainerRecipe, mixture: Mixture, n: int, seed: int) -> None:
        self.embedder, self.bundle, self.model = explainer.embedder, explainer.bundle, explainer.bundle.model
        self.recipe, self.mixture, self.n, self.seed = recipe, mixture, n, seed
        self._siblings = siblings_of(self.model)

    def hold(self, corpus: str) -> _Held:
        """Test texts that no probing task has in its training split."""
        limit, least = max(2 * _MANY, 3 * self.n), max(_FEW, self.n)
        labelled = (1000, limit // 4) if corpus == self.recipe.corpus else (0, 0)
        pool = gather_pool(self.mixture, corpus, "test", limit, *labelled, self.seed)
        found, kept = corpora.load(corpus, "test", limit), {*pool.texts}
        fits = [text in kept and _WORDS[0] <= len(text.split()) <= _WORDS[1] for text in found.texts]
        found = found.where(np.array(fits)).head(max(_MANY, self.n))
        if len(found) < least:
            raise BadInput(f"{corpus} has {len(found)} test texts that fit; expected at least {least}")
        vectors = unit(cached_vectors(self.embedder, found.texts, corpus))
        return _Held(corpus, pool, found.texts, np.array(found.groups[: self.n]), vectors)

    def describe(self, held: _Held) -> list[str]:
        """A description of each of n vectors."""
        return self._write(held.vectors[: self.n], f"describe {held.corpus}", 32)

    def domain(self, held: _Held, said: Sequence[str]) -> DomainScores:
        """All scores of one corpus."""
        other, groups, texts = partners(self.n, self.seed), held.groups, held.texts[: self.n]
        own = held.vectors[: self.n]
        sums, tokens = self._nats(own, texts, held.corpus).T
        blind = self._nats(own[other], texts, f"{held.corpus}, shuffled")[:, 0]
        return DomainScores(
            domain=held.corpus,
            seen=held.corpus == self.recipe.corpus,
            n=self.n,
            nats=ratio(sums, tokens, groups, self.seed),
            shuffled_nats=ratio(blind, tokens, groups, self.seed),
            gap=ratio(blind - sums, tokens, groups, self.seed),
            descriptions=self._descriptions(held, said),
            questions=self._questions(held),
        )

    def counterfactuals(self, held: _Held) -> tuple[Counterfactual, ...]:
        """Vectors moved two standard deviations either way along the probes' directions, and as far as the farthest of
        them along a random one each."""
        claims, start = self.bundle.claims, held.vectors[:_MOVED]
        ways = unit(np.where(live(held.vectors), claims.coef[:_DIRECTIONS], 0.0))
        asks = claims.questions[:_DIRECTIONS]
        if not asks:
            return ()
        line = np.linspace(-1, 1, _STEPS)
        reach = 2 * (held.vectors @ ways.T).std(0)
        anywhere = np.random.default_rng([self.seed, 1]).standard_normal(start.shape)
        tables = [moved(start, way[None], far * line) for way, far in zip(ways, reach, strict=True)]
        tables.append(moved(start, anywhere, reach.max() * line))
        size = len(start) * _STEPS
        asked = [(k * size + place, ask) for k, ask in enumerate(asks) for place in range(size)]
        asked += [(len(asks) * size + place, ask) for ask in asks for place in range(size)]
        logs = log_odds(self.model, np.concatenate(tables).reshape(-1, start.shape[1]), asked, "counterfactuals")
        found = spearman(logs.reshape(-1, _STEPS), line).reshape(2, len(asks), len(start))
        return tuple(
            Counterfactual(name, mean(along, seed=self.seed), mean(astray, seed=self.seed))
            for name, along, astray in zip(claims.names, *found, strict=False)
        )

    def empty(self, held: _Held) -> list[Abstention]:
        """Whether it abstains on vectors that no text has; a few tokens show it."""
        rows = []
        for place, kind in enumerate(("gaussian", "random", "mean")):
            random = np.random.default_rng([self.seed, 2, place])
            said = self._write(empty_vectors(kind, held.vectors, _EMPTY, random), f"{kind} vectors", 4)
            rows.append(Abstention(f"{kind} vectors", proportion(said.count(UNCLEAR), _EMPTY), True))
        return rows

    def _descriptions(self, held: _Held, said: Sequence[str]) -> tuple[DescriptionScores, ...]:
        """The explainer beside floors, its prior and a ceiling, all by the vectors of what they say."""
        n, own = self.n, held.vectors[: self.n]
        with torch.inference_mode():
            read = self.model.projector.read(torch.from_numpy(own).to(self.model.device), _KEYWORDS).words.tolist()
        keywords = [" ".join(self.model.words[word] for word in row) for row in read]
        bags = [" ".join(content_words(text)) or text for text in held.texts[:n]]
        ours, words, bag = np.split(unit(self.embedder.embed([*said, *keywords, *bags], "re-embed")), 3)
        known = self._known
        found = [
            Told("explainer", "explainer", ours),
            Told(f"nearest of {len(known):,} training texts", "floor", known[(own @ known.T).argmax(1)]),
            Told("ridge keywords", "floor", words),
            Told("explainer, shuffled vectors", "prior", ours[partners(n, self.seed)]),
            Told("the text's own content words", "ceiling", bag),
        ]
        return tuple(score_descriptions(found, held.vectors, held.groups, (_FEW, _MANY), self.seed))

    def _questions(self, held: _Held) -> tuple[QuestionScores, ...]:
        """Words of both kinds, then attributes, each beside another text's vector and a probe."""
        drawn = evaluation_questions(held.pool, self.mixture, self._siblings, self.n, self.seed)
        by_task: dict[str, list[tuple[int, Segment]]] = {}
        for row, one in drawn:
            by_task.setdefault(one.task, []).append((row, one))
        asked = [pair for task, each in by_task.items() for pair in (each if task == "word" else _fewer(each))]
        rows = sorted({row for row, _ in asked})
        places = {row: place for place, row in enumerate(rows)}
        vectors = unit(cached_vectors(self.embedder, [held.pool.texts[row] for row in rows], "asked"))
        other = partners(len(rows), self.seed)
        own = np.array([places[row] for row, _ in asked])
        segments = [one for _, one in asked]
        both = [(int(place), one.ask) for way in (own, other[own]) for place, one in zip(way, segments, strict=True)]
        logs, blind = np.split(log_odds(self.model, vectors, both, f"questions, {held.corpus}"), 2)
        texts = [held.pool.texts[row] for row in rows]
        read = log_odds(self.model, vectors, both[: len(asked)], f"questions, {held.corpus}, with the text", texts)
        projector, claims = self.model.projector, self.bundle.claims
        weight, bias = (each.detach().float().cpu().numpy() for each in (projector.weight, projector.bias))
        words = Linear(tuple(map(ASK["word"][0].format, self.model.words)), weight.T, bias)
        probed = closed_forms(vectors[own], segments, words, Linear(claims.questions, claims.coef, claims.intercept))
        return tuple(score_questions(segments, logs, blind, read, probed, self.bundle.probability, _LEAST, self.seed))

    def _write(self, vectors: Float[np.ndarray, "n d"], what: str, most_tokens: int) -> list[str]:
        said: list[str] = []
        with progress(what, len(vectors), "vectors") as advance:
            for start in range(0, len(vectors), TOGETHER):
                some = [vector[None] for vector in vectors[start : start + TOGETHER]]
                said += map(cut, self.model.write(some, DESCRIBE, most_tokens))
                advance(len(some))
        return said

    def _nats(self, vectors: Float[np.ndarray, "n d"], texts: Sequence[str], what: str) -> Float[np.ndarray, "n 2"]:
        """Nats and tokens of each text; texts of like length are read together."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        found = np.empty((len(texts), 2))
        with progress(f"nats, {what}", len(texts), "texts") as advance:
            for start in range(0, len(texts), TOGETHER):
                some = order[start : start + TOGETHER]
                prompts, answers = [vectors[row][None] for row in some], [texts[int(row)] for row in some]
                found[some] = self.model.nats(prompts, DESCRIBE, answers)
                advance(len(some))
        return found

    @cached_property
    def _known(self) -> Float[np.ndarray, "k d"]:
        texts = corpora.load(self.recipe.corpus, "train", self.recipe.texts).texts[:_KNOWN]
        return unit(cached_vectors(self.embedder, texts, "training texts"))


def _fewer(asked: list[tuple[int, Segment]]) -> list[tuple[int, Segment]]:
    return asked[spread_out(len(asked), _MOST_ASKED)]
