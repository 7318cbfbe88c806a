"""Projection: the core of LEACE, which takes what is linear of some classes out of vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import BadInput

_LEAST_CORRELATION = 1e-6
"""Canonical correlations of vectors and classes below this are rounding; erasing them would only add noise."""


@dataclass(frozen=True, eq=False)
class Projection:
    """x -> x - left right (x - mean), of rank r <= k - 1: after it no linear probe reads the classes it was fitted on.

    Least-squares concept erasure (LEACE; Belrose et al. 2023, arXiv:2306.03819).
    """

    left: Float[np.ndarray, "d r"]
    right: Float[np.ndarray, "r d"]
    mean: Float[np.ndarray, " d"]

    @classmethod
    def fit(cls, table: Float[np.ndarray, "n d"], codes: Int[np.ndarray, " n"], shrinkage: bool = True) -> Projection:
        """Fit on n vectors in double precision and the codes 0 .. k - 1 of their classes, each of which occurs.

        `shrinkage` estimates the covariance of vectors as Bodnar et al. (2014) do, in concept-erasure's code. Raises
        BadInput for more than d classes, where erasing would leave nothing.
        """
        import torch
        from concept_erasure import LeaceFitter

        d, k = table.shape[1], int(codes.max()) + 1
        if k > d:
            raise BadInput(f"{k} classes in {d} dimensions: erasing them would leave nothing; expected at most {d}")
        # LEACE does not depend on the units of the dimensions, but rounding does: some differ by nine orders.
        mean, scale = table.mean(0), table.std(0)
        scale[scale <= 1e-14 * np.abs(mean)] = 1.0
        fitter = LeaceFitter.fit(
            torch.from_numpy((table - mean) / scale),
            torch.from_numpy(_indicators(codes)),
            shrinkage=shrinkage,
            # The exact projection never adds variance; the library's remedy for rounding would double the rank.
            constrain_cov_trace=False,
            svd_tol=_LEAST_CORRELATION,
        )
        found = fitter.eraser
        left, right = found.proj_left.numpy(), found.proj_right.numpy()
        kept = right.any(axis=1)
        return cls(left[:, kept] * scale[:, None], right[kept] / scale, mean)

    @property
    def rank(self) -> int:
        """Dimensions that are taken out."""
        return self.left.shape[1]

    def erase(self, table: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The vectors without the classes. Raises BadInput for another dimension than in `fit`."""
        if table.shape[1] != len(self.mean):
            raise BadInput(f"vectors has shape {table.shape}; expected (n, {len(self.mean)}) as in fit")
        return table - ((table - self.mean) @ self.right.T) @ self.left.T


def _indicators(codes: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
    """One column a class: 1 over the root of its share where an item is of the class, else 0.

    A single column of integers would only erase a trend along their order. The scale makes the covariance of the
    columns a projection, so that singular values in LEACE are canonical correlations: a class of one item in 200 is
    judged by how well it can be told apart, not by how rare it is.
    """
    share = np.bincount(codes) / len(codes)
    return np.eye(len(share))[codes] / np.sqrt(share)
