"""Defence: a transform of stored vectors that is meant to make them tell less; Fitter: what learns one from vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from workbench.defend._transformer import DefenceTransformer


class Defence(ABC):
    """A function of vectors (and of chance, where it is random). Frozen once made."""

    @property
    def fresh(self) -> bool:
        """Whether the same vectors come out otherwise each time, so that many releases can be averaged."""
        return False

    @abstractmethod
    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n e"]:
        """The vectors as a reader of the store gets them, float32; deterministic defences leave `random` alone."""

    def ask(self, queries: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n e"]:
        """Queries of the store's rightful user, who holds the key and need not disturb them: here as they are."""
        return queries.astype(np.float32)

    @abstractmethod
    def facts(self) -> dict[str, str]:
        """What a reader must know: `mechanism` and, where it applies, `release`, `guarantee`, `epsilon` with its
        `unit` and `sensitivity`. Never a key."""

    def as_transformer(self) -> DefenceTransformer:
        """This defence as a scikit-learn transformer; it is frozen, so its `fit` learns nothing.

        Raises BadInput for fresh noise: a transformer gives the same vectors for the same vectors.
        """
        from workbench.defend._transformer import DefenceTransformer

        return DefenceTransformer(self).require_repeatable()


class Map(Defence):
    """A defence without chance that leads to another space, whither queries have to follow."""

    @abstractmethod
    def map(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n e"]:
        """The vectors in the other space, float32."""

    def apply(self, vectors: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n e"]:
        """The same as `map`."""
        return self.map(vectors)

    def ask(self, queries: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n e"]:
        """The same as `map`: vectors and queries meet in the other space."""
        return self.map(queries)


class Fitter(ABC):
    """Settings from which `fit` makes a frozen defence."""

    @abstractmethod
    def fit(
        self,
        vectors: Float[np.ndarray, "n d"],
        random: np.random.Generator,
        labels: Mapping[str, Any] | None = None,
    ) -> Defence:
        """The defence for vectors like these; `labels` are named attributes of the n rows, where some are erased.

        Keys that were not given are drawn from `random`. Raises BadInput where the vectors do not suffice.
        """
