"""Standardised vectors in their principal axes, beside a column of ones: what linear probes multiply with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float

_ROWS = 32_768
"""Rows that are held in double precision, or taken up from a large table, at once."""
_HELD = 200_000
"""Up to so many rows the table is made once; a larger one, which may lie on disk, is gone through each time."""


class Design:
    """The table Z = ((x - mean) / scale) A with a column of ones behind it, for n vectors x; A turns it into its
    principal axes once `turn` was called.

    A large table is never made: a product with it is one with the vectors as they are, a block after the other.
    """

    def __init__(self, vectors: Float[np.ndarray, "n d"], device: str) -> None:
        n = len(vectors)
        self._vectors, self._device = vectors, device
        self.mean: Float[np.ndarray, " d"] = vectors.mean(0, dtype=np.float64)
        squares = np.zeros_like(self.mean)
        for part in self._parts():
            apart = part - self.mean
            squares += np.einsum("nd,nd->d", apart, apart)
        self.scale = np.sqrt(squares / n)
        self.scale[self.scale <= 1e-14 * np.abs(self.mean)] = np.inf  # a constant dimension tells nothing
        self._axes = torch.eye(vectors.shape[1], device=device)
        self._table = None if n > _HELD else torch.cat([*self._blocks()])

    def turn(self) -> tuple[Float[torch.Tensor, " d"], Float[torch.Tensor, "d d"]]:
        """Sums of squares along the principal axes, and these axes, to which all products belong from now on."""
        blocks = [self._table] if self._table is not None else self._blocks()
        spread, self._axes = torch.linalg.eigh(_sum(block.T @ block for block in blocks))
        if self._table is not None:
            turned = self._table.new_ones(len(self._table), len(spread) + 1)
            torch.mm(self._table, self._axes, out=turned[:, :-1])
            self._table = turned
        return spread, self._axes

    def times(self, weights: Float[torch.Tensor, "d_plus_1 k"]) -> Float[torch.Tensor, "n k"]:
        """Z and ones, times weights."""
        if self._table is not None:
            return self._table @ weights
        turned = self._axes @ weights[:-1]
        return torch.cat([block @ turned + weights[-1] for block in self._blocks()])

    def back(self, slopes: Float[torch.Tensor, "n k"]) -> Float[torch.Tensor, "d_plus_1 k"]:
        """Z and ones, transposed, times a number for each row and probe."""
        if self._table is not None:
            return self._table.T @ slopes
        found = _sum(block.T @ some for block, some in zip(self._blocks(), slopes.split(_ROWS), strict=True))
        return torch.cat([self._axes.T @ found, slopes.sum(0, keepdim=True)])

    def squared_back(self, weights: Float[torch.Tensor, "n k"]) -> Float[torch.Tensor, "d_plus_1 k"]:
        """`back` of the squares of Z."""
        if self._table is not None:
            return self._table.square().T @ weights
        squares = ((block @ self._axes).square_() for block in self._blocks())
        found = _sum(block.T @ some for block, some in zip(squares, weights.split(_ROWS), strict=True))
        return torch.cat([found, weights.sum(0, keepdim=True)])

    def _parts(self) -> Iterator[Float[np.ndarray, "_ d"]]:
        for start in range(0, len(self._vectors), _ROWS):
            yield self._vectors[start : start + _ROWS]

    def _blocks(self) -> Iterator[Float[torch.Tensor, "_ d"]]:
        """Standardised rows in single precision; the mean is taken off in double."""
        for part in self._parts():
            apart = part - self.mean
            apart /= self.scale
            yield torch.from_numpy(apart.astype(np.float32)).to(self._device)


def _sum(parts: Iterator[Float[torch.Tensor, "_ _"]]) -> Float[torch.Tensor, "_ _"]:
    whole = next(parts).clone()
    for part in parts:
        whole += part
    return whole
