"""SaeRecipe: all that decides the result of training a sparse autoencoder, beside the vectors."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import BadInput


@dataclass(frozen=True)
class SaeRecipe:
    """Written into the run's folder and into the card. On one CPU the same recipe and vectors give the same weights."""

    features: int = 2048
    k: int = 32
    """Most features that are active in a vector."""
    epochs: int = 20
    batch: int = 512
    learning_rate: float = 4e-3
    """Highest rate of Adam, for vectors of unit variance; it rises for 50 steps and falls in the last third."""
    dead_after: int = 10_000
    """Vectors after which a feature that none of them activated counts as dead, and is worked on."""
    held_out: float = 0.05
    """Share of the vectors, chosen by the hash of the text, that are never learnt from."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("features", "k", "epochs", "batch", "dead_after"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; expected at least 1")
        if self.k > self.features:
            raise BadInput(f"k is {self.k} but there are {self.features} features; expected k of at most that")
        if not 0 < self.held_out < 1:
            raise BadInput(f"held_out is {self.held_out}; expected a share above 0 and below 1")
        if not 0 < self.learning_rate <= 1:
            raise BadInput(f"learning_rate is {self.learning_rate}; expected above 0, and at most 1")

    def rate(self, step: int, steps: int) -> float:
        """Learning rate at a step of a run of `steps`."""
        return self.learning_rate * min(1.0, (step + 1) / 50, 3 * (steps - step) / steps)
