"""Batches of an explainer's training, packed, in this process or in others."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.jobs._explain_data import Hidden
from workbench.jobs._explain_items import Item, Segment, Teacher
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.lm._packing import Packed, Part
from workbench.lm.soft_prompt import CHOICES, SoftPromptModel

_BATCHES = 16
"""Batches in a block, which are put in order of length together."""
_FAR = 1 << 40

Batch = tuple[Sequence[Float[np.ndarray, "_ d"]], Packed]
"""Vectors of the prompts, and the prompts with their segments."""


class Blocks:
    """Block i holds batches 16 i to 16 i + 15 of an endless row; what they are depends on the recipe and i alone."""

    def __init__(self, teacher: Teacher, train: Hidden, recipe: ExplainerRecipe, model: SoftPromptModel) -> None:
        self._teacher, self._train, self._recipe, self._model = teacher, train, recipe, model

    def __getitem__(self, block: int) -> list[Batch]:
        """Items in order of length, cut into batches, which are shuffled."""
        size, seed = _BATCHES * self._recipe.batch, self._recipe.seed
        found = [self._teacher.item(number, seed) for number in range(block * size, (block + 1) * size)]
        found.sort(key=lambda item: sum(len(segment.ask) + len(segment.answer) + 8 for segment in item.segments))
        batches = [found[start : start + self._recipe.batch] for start in range(0, size, self._recipe.batch)]
        np.random.default_rng([seed, block]).shuffle(batches)  # type: ignore[arg-type]
        return [self._packed(each, block * _BATCHES + place) for place, each in enumerate(batches)]

    def _packed(self, items: Sequence[Item], number: int) -> Batch:
        random = np.random.default_rng([self._recipe.seed, number])
        vectors = [self._train.prompt(item, random) for item in items]
        return vectors, self._model.pack(vectors, [[self._part(each) for each in item.segments] for item in items])

    def _part(self, segment: Segment) -> Part:
        weight = self._recipe.choice_weight if segment.answer in CHOICES else 1.0
        return self._model.question(segment.ask, segment.answer, weight)


def packed_batches(blocks: Blocks, start: int, stride: int, workers: int = 0) -> Iterator[Batch]:
    """Batches `start`, `start + stride`, ... of an endless row, packed by that many other processes."""
    from torch.utils.data import DataLoader

    found: Any = DataLoader(
        blocks,  # type: ignore[arg-type]
        batch_size=None,
        sampler=range(start // _BATCHES, _FAR),  # type: ignore[arg-type]
        collate_fn=pickle.dumps,  # by value: a handle of shared memory for each small tensor would run out
        num_workers=workers,
        multiprocessing_context="fork" if workers else None,
    )
    number = start // _BATCHES * _BATCHES
    for block in found:
        for batch in pickle.loads(block):
            if number >= start and (number - start) % stride == 0:
                yield batch
            number += 1
