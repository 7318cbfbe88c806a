"""ExplainerRecipe: all that decides the result of an explainer's training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.core.errors import BadInput
from workbench.jobs._run_folder import share_done
from workbench.lm.projector import VARIANTS, Variant


@dataclass(frozen=True)
class ExplainerRecipe:
    """Written into the run's folder and into the card.

    The projector is trained first; after `projector_share` of the run it is frozen and LoRA is trained.
    """

    embedder: str = "minilm"
    model: str = "smollm2"
    """The causal language model: an asset, a folder or a hub id."""
    corpus: str = "conservative"
    texts: int = 40_000
    """Texts of the corpus' train split."""
    per_task: int = 1500
    """Most labelled texts of each probing task."""
    planted: int = 4000
    """Records with planted personal data."""
    words_from: str = "auto"
    """The bag of words that the projector reads words with: an inverter's checkpoint, `auto` (the shipped one of the
    embedder, if there is one) or `fit` (anew, on the texts of this run)."""
    variant: Variant = "words"
    word_tokens: int = 12
    free_tokens: int = 4
    rank: int = 16
    """Of LoRA; 0 leaves the language model as it is."""
    first_layer: int = 8
    """The first layer that LoRA changes; the fewer, the cheaper a step."""
    projector_share: float = 0.15
    steps: int = 4000
    minutes: float = 0.0
    """Wall time after which the run ends, and to which the schedule is stretched; 0 leaves that to `steps`."""
    batch: int = 6
    """Items a step: each is a prompt with about five questions."""
    accumulate: int = 1
    """Batches whose gradients are added up before the weights move."""
    learning_rate: float = 8e-4
    warmup: int = 20
    choice_weight: float = 3.0
    """What a token of a yes or no counts against one of a description."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise BadInput(f"variant is {self.variant!r}; expected one of {', '.join(VARIANTS)}")
        if not 0 <= self.projector_share <= 1:
            raise BadInput(f"projector_share is {self.projector_share}; expected 0 to 1")
        if min(self.steps, self.batch, self.accumulate, self.texts) < 1 or self.rank < 0 or self.minutes < 0:
            raise BadInput("steps, batch, accumulate and texts are at least 1; rank and minutes at least 0")

    def done(self, step: int, seconds: float) -> float:
        """Share of the run that is behind it, 1 at the end."""
        return share_done(step, self.steps, seconds, self.minutes)

    def stage(self, done: float) -> int:
        """0 while the projector learns, 1 while LoRA does."""
        return int(self.rank > 0 and done >= self.projector_share)

    def rate(self, since: int, done: float) -> float:
        """Learning rate `since` so many steps of a stage: a warm-up, and a cosine over the stage."""
        first = self.projector_share if self.rank else 1.0
        part = done / first if done < first else (done - first) / max(1 - first, 1e-9)
        rising = min(1.0, (since + 1) / self.warmup) if self.warmup else 1.0
        return self.learning_rate * rising * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(part, 1.0))))
