"""Texts with labels, and the vectors that go with them, for training and measuring an explainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.text import Split
from workbench.core.vectors import unit
from workbench.data import corpora, personal
from workbench.data.tasks import load_task
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.jobs._explain_items import Item, Pool, gather_pool
from workbench.jobs._explain_mixture import Mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.lm.soft_prompt import SoftPromptModel

_SIBLINGS = 12
_ALIKE = 0.35
"""Cosine of two words' evidence weights above which they are siblings."""


@dataclass(frozen=True)
class Hidden:
    """A pool of texts and their vectors."""

    pool: Pool
    vectors: Float[np.ndarray, "n d"]

    def prompt(self, item: Item, random: np.random.Generator) -> Float[np.ndarray, "m d"]:
        """What the model is shown for an item: vectors of its texts, or a vector that no text has."""
        if item.sources:
            return self.vectors[list(item.sources)]
        return empty_vectors(item.noise, self.vectors, 1, random)


def empty_vectors(
    kind: str, vectors: Float[np.ndarray, "n d"], count: int, random: np.random.Generator
) -> Float[np.ndarray, "m d"]:
    """Unit vectors without a text: `gaussian` in every direction, `random` with the spread of the vectors' dimensions
    but none of their correlations, `mean` near the mean of many."""
    d = vectors.shape[1]
    if kind == "mean":
        picked = random.integers(len(vectors), size=(count, 256))
        found = np.stack([vectors[row].mean(0) for row in picked])
    elif kind == "random":
        rows = random.integers(len(vectors), size=(count, d))  # each dimension from another text
        found = vectors[rows, np.arange(d)]
    else:
        found = random.standard_normal((count, d))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def gather_hidden(recipe: ExplainerRecipe, mixture: Mixture, embedder: Embedder, split: Split, limit: int) -> Hidden:
    """The pool of one split with its vectors; each source is embedded as a whole, once."""
    fewer = (recipe.per_task, recipe.planted) if split == "train" else (1000, limit // 4)
    pool = gather_pool(mixture, recipe.corpus, split, limit, *fewer, recipe.seed)
    known: dict[str, np.ndarray] = {}

    def add(texts: Sequence[str], what: str) -> None:
        known.update(zip(texts, cached_vectors(embedder, texts, what), strict=True))

    add(corpora.load(recipe.corpus, split, limit).texts, recipe.corpus)
    for task in sorted({attribute.task for attribute in mixture.attributes}):
        add(load_task(task).texts, task)
    if fewer[1]:
        add(personal.load(split, fewer[1], recipe.seed).corpus.texts, "personal")
    return Hidden(pool, np.stack([known[text] for text in pool.texts]))


def siblings_of(model: SoftPromptModel) -> Callable[[str], list[str]]:
    """For a word those that vectors tell of alike, nearest first: the hard negatives of "does it mention ...?"."""
    ways, found = unit(model.projector.weight.detach().float().cpu().numpy().T), dict[str, list[str]]()
    for start in range(0, len(ways), 1024):
        alike = ways[start : start + 1024] @ ways.T
        best = np.argpartition(-alike, min(_SIBLINGS, len(ways) - 1), axis=1)[:, : _SIBLINGS + 1]
        for place, (near, row) in enumerate(zip(best, alike, strict=True), start):
            others = sorted((i for i in near if i != place and row[i] > _ALIKE), key=lambda i: -row[i])
            found[model.words[place]] = [model.words[i] for i in others]
    return lambda word: found.get(word, [])
