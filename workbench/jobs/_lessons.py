"""What an inverter learns from, step by step: a batch, its vectors as a defence leaves them, and drafts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import count, islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.defend._defence import Defence
from workbench.embed._embedder import Embedder
from workbench.jobs._drafts import drafts
from workbench.jobs._training_data import Pairs, batches
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.lm import Draft, TextModel

_AHEAD_ON_GPU = 16
"""Batches whose drafts are made at once where one alone would leave the device idle; they are that much less fresh."""


class Lesson(NamedTuple):
    """One batch to learn from; `seed` fixes what is drawn in it."""

    vectors: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, "n t"]
    draft: Draft | None
    seed: int


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
    ) -> None:
        self._recipe, self._pairs, self._model, self._embedder = recipe, pairs, model, embedder
        self._defence, self._device = defence, device
        self._ahead = _AHEAD_ON_GPU if device.startswith("cuda") and recipe.correction else 1
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
        found: list[list[Lesson]] = []
        waiting = []
        for step in steps:
            # alike for all lessons of a step, in every process: they then use the same weights, and take as long
            drawn = np.random.default_rng([recipe.seed, step]).random()
            rewrites = done >= recipe.correction_from and drawn < recipe.correction
            found.append([])
            for number, batch in islice(self._order, recipe.accumulate):
                random = np.random.default_rng([recipe.seed, number])
                seed = int(random.integers(2**31))
                ids, vectors = np.stack([self._pairs.ids[i] for i in batch]), self._pairs.vectors[batch]
                if self._defence is not None:
                    vectors = self._defence.apply(vectors, random)
                if rewrites:
                    waiting.append(((found[-1], len(found[-1])), (vectors, ids, random)))
                found[-1].append(Lesson(vectors, ids, None, seed))
        if waiting:
            model, asked = self._model, [batch for _, batch in waiting]
            made = drafts(model.decoder, model.vocabulary, self._embedder, asked, self._device)
            for ((lessons, place), _), draft in zip(waiting, made, strict=True):
                lessons[place] = lessons[place]._replace(draft=draft)
        self._next.extend(found)
