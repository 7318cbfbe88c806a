"""What an inverter learns from, step by step: a batch, its vectors as a defence leaves them, and drafts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.defend._defence import Defence
from workbench.embed._embedder import Embedder
from workbench.jobs._drafts import drafts
from workbench.jobs._renewal import Renewal
from workbench.jobs._training_data import Pairs, batches
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.lm import Draft, TextModel

_AHEAD_ON_GPU = 16
"""Batches whose drafts are made and whose texts are embedded at once where one alone would leave the device idle; the
drafts are that much less fresh."""


class Lesson(NamedTuple):
    """One batch to learn from; `seed` fixes what is drawn in it."""

    vectors: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, "n t"]
    draft: Draft | None
    seed: int


@dataclass
class _Batch:
    """A lesson that is being made."""

    ids: Int[np.ndarray, "n t"]
    vectors: Float[np.ndarray, "n d"]
    random: np.random.Generator
    seed: int
    renewed: bool
    rewritten: bool
    draft: Draft | None = None


class Lessons:
    """The lessons of one of `world` processes, from a step on: those of an unbroken run, on a CPU to the bit.

    A step has `accumulate` x `world` of them, numbered on from those of the step before; a process takes every
    `world`th. What a lesson is depends on its number and step, not on who learns it.
    """

    def __init__(
        self,
        recipe: InverterRecipe,
        pairs: Pairs,
        model: TextModel,
        embedder: Embedder,
        defence: Defence | None,
        device: str,
        step: int,
        rank: int,
        world: int,
        renewal: Renewal | None = None,
    ) -> None:
        self._recipe, self._pairs, self._model, self._embedder = recipe, pairs, model, embedder.rough()
        self._defence, self._device, self._renewal = defence, device, renewal
        self._ahead = _AHEAD_ON_GPU if device.startswith("cuda") and (recipe.correction or renewal) else 1
        first = step * recipe.accumulate * world + rank
        every = batches(pairs, recipe.batch_tokens, recipe.seed, start=first)
        self._order: Iterator[tuple[int, np.ndarray]] = zip(count(first, world), islice(every, 0, None, world))
        self._next: deque[list[Lesson]] = deque()

    def at(self, step: int, done: float) -> list[Lesson]:
        """What this process learns in a step; steps are asked for in turn. `done`: share of the run that is over."""
        if not self._next:
            self._prepare(range(step, step + self._ahead - step % self._ahead), done)
        return self._next.popleft()

    def _prepare(self, steps: range, done: float) -> None:
        recipe = self._recipe
        self._embedder.forget()  # a text's vector depends, in its last bits, on the batch that it was embedded in
        made: list[list[_Batch]] = []
        for step in steps:
            # alike for all lessons of a step, in every process: they then use the same weights, and take as long
            drawn = np.random.default_rng([recipe.seed, step]).random(2)
            rewrites = done >= recipe.correction_from and bool(drawn[0] < recipe.correction)
            renews = bool(drawn[1] < recipe.renewed)
            made.append([])
            for number, batch in islice(self._order, recipe.accumulate):
                random = np.random.default_rng([recipe.seed, number])
                seed = int(random.integers(2**31))
                ids = np.stack([self._pairs.ids[i] for i in batch])
                made[-1].append(_Batch(ids, self._pairs.vectors[batch], random, seed, renews, rewrites))
        every = list(chain.from_iterable(made))
        self._renew([batch for batch in every if batch.renewed])
        if self._defence is not None:
            for batch in every:
                batch.vectors = self._defence.apply(batch.vectors, batch.random)
        self._add_drafts([batch for batch in every if batch.rewritten])
        for lessons in made:
            self._next.append([Lesson(each.vectors, each.ids, each.draft, each.seed) for each in lessons])

    def _renew(self, batches: list[_Batch]) -> None:
        """Change texts, and embed what has changed."""
        if self._renewal is None or not batches:
            return
        changed = []
        for batch in batches:
            ids = self._renewal(batch.ids, batch.random)
            changed.append(np.flatnonzero((ids != batch.ids).any(1)))
            batch.ids = ids
        decode = self._model.vocabulary.decode
        texts = [decode(row) for batch, rows in zip(batches, changed, strict=True) for row in batch.ids[rows]]
        ends = np.cumsum([len(rows) for rows in changed])
        new = np.split(self._embedder.embed(texts, "renew"), ends[:-1])
        for batch, rows, vectors in zip(batches, changed, new, strict=True):
            batch.vectors[rows] = vectors

    def _add_drafts(self, batches: list[_Batch]) -> None:
        if not batches:
            return
        model, asked = self._model, [(batch.vectors, batch.ids, batch.random) for batch in batches]
        found = drafts(model.decoder, model.vocabulary, self._embedder, asked, self._device)
        for batch, draft in zip(batches, found, strict=True):
            batch.draft = draft
