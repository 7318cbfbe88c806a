"""A map between two spaces from few pairs or none: what is alike in one is alike in the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.core.progress import progress
from workbench.core.vectors import require_finite, unit
from workbench.invert._align import LinearMap, mean_cosine, rotation_of
from workbench.invert._components import Components, independent_components, matched_components

FEWEST = 200
"""Fewest vectors of a side; thousands are needed between most embedders."""
_COMPONENTS = (60, 100, 150)
"""So many independent components are matched: few are the surest, many turn the most axes."""
_VECTORS_EACH = 10
"""Fewest vectors for each of them; of fewer, chance makes components too."""
_FEWEST_AXES, _NONE = 2, 1e-12
"""Fewest axes that can be told apart, and the share of the widest one's variance that counts as none."""
_STARTS, _AGAIN = 2, 4
"""Starts for each number, and most starts on the side of few vectors for one on the other. What is matched by chance
differs from start to start, and the sum forgets it."""
_SAMPLE, _MOST = 4_000, 20_000
"""Most vectors of either side that one of the many rounds looks at, and that one of the last does."""
_BLOCK = 1024
_NEIGHBOURS, _LAST_NEIGHBOURS = 10, 30
_ROUNDS, _LAST_ROUNDS = 30, 8
_KEPT, _LAST_KEPT = 0.5, 0.2
"""Share of the former map that stays in a round."""


def fit_unpaired_map(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "m e"], seed: int = 0) -> LinearMap:
    """A rotation (or projection) between two spaces from vectors of different texts of the same kind.

    Independent components of both spaces are matched by how they are spread and how they go together
    (`matched_components`), and Procrustes on what is matched is refined by matching mapped vectors with their
    neighbours, as in mini-vec2vec (Dar 2025). Whether it worked cannot be seen without pairs.
    Raises BadInput for fewer than 200 vectors on a side, for vectors that are all alike, and for NaN.
    """
    spaces = _Spaces(a, b, seed)
    return spaces.map_of(spaces.aligned(), "unpaired")


def fit_seeded_map(
    pairs_a: Float[np.ndarray, "k d"],
    pairs_b: Float[np.ndarray, "k e"],
    a: Float[np.ndarray, "n d"],
    b: Float[np.ndarray, "m e"],
    seed: int = 0,
) -> LinearMap:
    """As `fit_unpaired_map`, but k pairs begin it, where it most often fails: ten can do with thousands of others.

    After its rounds nothing of the beginning is left but the direction in which it led, so its cosine on the pairs is
    as good as held out.
    """
    spaces = _Spaces(a, b, seed)
    found = spaces.map_of(spaces.refined(spaces.turned_by(pairs_a, pairs_b)), "seeded")
    return replace(found, held_out=mean_cosine(found.apply(pairs_a), pairs_b))


class _Spaces:
    """Two clouds of centred vectors, and rotations of one onto the other; all comparisons are by cosine."""

    def __init__(self, a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "m e"], seed: int) -> None:
        for side, what in ((a, "the vectors to map"), (b, "the vectors to map to")):
            require_finite(side, what)
            if len(side) < FEWEST:
                raise BadInput(f"{what} are {len(side)}; without pairs at least {FEWEST} are needed, better thousands")
        a, b = unit(a.astype(np.float64)), unit(b.astype(np.float64))
        self.mean_a, self.mean_b = a.mean(0), b.mean(0)
        self.a, self.b = a - self.mean_a, b - self.mean_b
        self._random = np.random.default_rng(seed)

    def map_of(self, rotation: Float[np.ndarray, "d e"], kind: Literal["seeded", "unpaired"]) -> LinearMap:
        """A rotation with the means, and with the scale that makes both clouds as wide."""
        turned = self.a @ rotation
        scale = np.linalg.norm(self.b) / np.linalg.norm(turned) * np.sqrt(len(self.a) / len(self.b))
        return LinearMap(scale * rotation, self.mean_a, self.mean_b, kind)

    def turned_by(self, a: Float[np.ndarray, "k d"], b: Float[np.ndarray, "k e"]) -> Float[np.ndarray, "d e"]:
        """The rotation of some pairs onto each other."""
        here, there = unit(a.astype(np.float64)) - self.mean_a, unit(b.astype(np.float64)) - self.mean_b
        return rotation_of(unit(here).T @ unit(there))

    def aligned(self) -> Float[np.ndarray, "d e"]:
        """The rotation that matched components begin."""
        most = min(_axes(side) for side in (self.a, self.b))
        if most < _FEWEST_AXES:
            raise BadInput(
                f"the vectors of one side vary along {most} axes; at least {_FEWEST_AXES} are needed to match"
            )
        found = np.zeros((self.a.shape[1], self.b.shape[1]))
        again = int(np.clip(_MOST // len(self.a), 1, _AGAIN))
        with progress("match components", _STARTS * len(_COMPONENTS) * again, "runs") as advance:
            for wanted in _COMPONENTS * _STARTS:
                count = min(wanted, most)
                there = self._components(self.b, count)
                for _ in range(again):
                    found += matched_components(self._components(self.a, count), there)
                    advance(1)
        return self.refined(rotation_of(found))

    def refined(self, rotation: np.ndarray) -> np.ndarray:
        """Each vector is matched with its nearest neighbours on the other side, and the rotation refitted, smoothly."""
        rounds = [(_SAMPLE, _NEIGHBOURS, _KEPT)] * _ROUNDS + [(_MOST, _LAST_NEIGHBOURS, _LAST_KEPT)] * _LAST_ROUNDS
        with progress("match neighbours", len(rounds), "rounds") as advance:
            for most, neighbours, kept in rounds:
                a, b = unit(self._some(self.a, most)), unit(self._some(self.b, most))
                to_b, to_a = _neighbours(a @ rotation, b, neighbours), _neighbours(b @ rotation.T, a, neighbours)
                fresh = rotation_of(a.T @ to_b / len(a) + to_a.T @ b / len(b))
                rotation = rotation_of(kept * rotation + (1 - kept) * fresh)
                advance(1)
        return rotation

    def _components(self, vectors: np.ndarray, count: int) -> Components:
        some = self._some(vectors, _MOST)  # not to unit length: that bends what is a sum
        return independent_components(some, count, int(self._random.integers(2**31)))

    def _some(self, vectors: np.ndarray, most: int) -> np.ndarray:
        return vectors[self._random.permutation(len(vectors))[:most]]


def _axes(vectors: np.ndarray) -> int:
    """So many components can be looked for: axes along which centred vectors vary, and enough vectors for each."""
    spread = np.linalg.eigvalsh(vectors.T @ vectors)
    return min(int((spread > _NONE * max(spread[-1], _NONE)).sum()), len(vectors) // _VECTORS_EACH)


def _neighbours(mapped: np.ndarray, others: np.ndarray, count: int) -> np.ndarray:
    """For each mapped vector the mean of the others that are the nearest by cosine, to unit length."""
    left, right = (torch.from_numpy(side.astype(np.float32)) for side in (mapped, others))
    nearest = [(block @ right.T).topk(min(count, len(others))).indices.numpy() for block in left.split(_BLOCK)]
    return unit(np.concatenate([others[rows].mean(1) for rows in nearest]))
