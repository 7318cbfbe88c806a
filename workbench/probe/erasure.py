"""Eraser: LEACE, the least change of vectors after which no linear probe reads a class."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from workbench.core.errors import BadInput, first_line
from workbench.core.files import atomic_path
from workbench.probe._inputs import Coded, Column, checked_vectors, coded

__all__ = ["Eraser"]

_LEAST_CORRELATION = 1e-6
"""Canonical correlations of vectors and classes below this are rounding; erasing them would only add noise."""


@dataclass(frozen=True, eq=False)
class Eraser:
    """Takes what is linear of some classes out of vectors: x -> x - left right (x - mean), of rank r <= k - 1.

    Least-squares concept erasure (LEACE; Belrose et al. 2023, arXiv:2306.03819). On the rows that it was fitted on the
    covariance of every dimension with every class is 0 afterwards, so no linear probe does better than one that does
    not look; of all affine maps that reach this, it moves vectors least. `fit` makes one.

    What it does not do: a probe that is not linear may still read the class; and rows that it did not see keep a
    remainder in the order of d / n, which a probe with many such rows finds: questions against statements in MiniLM's
    384 dimensions fall from 90% to 72, 67, 61 and 56% after a fit on 500, 1,000, 2,000 and 4,000 rows, for a probe of
    2,000 others; 50% is chance. `amnesic_check` measures both.
    """

    left: Float[np.ndarray, "d r"]
    right: Float[np.ndarray, "r d"]
    mean: Float[np.ndarray, " d"]
    classes: tuple[str, ...]

    @classmethod
    def fit(cls, vectors: Float[np.ndarray, "n d"], labels: Column, shrinkage: bool = True) -> Eraser:
        """Fit on n vectors and their classes (bool, whole numbers or words), in double precision.

        `shrinkage` estimates the covariance of vectors as Bodnar et al. (2014) do, in concept-erasure's code, so that
        vectors are moved less where n is not far above d. Without it the change is the least for just these rows. The
        guarantee holds with and without, and what is left in rows that were not seen is the same.

        Raises BadInput for NaN, labels of one class or with missing values, or more than d classes, where erasing
        would leave nothing.
        """
        import torch
        from concept_erasure import LeaceFitter

        table = checked_vectors(vectors)
        classes = coded(labels, len(table))
        d, k = table.shape[1], len(classes.names)
        if k > d:
            raise BadInput(f"{k} classes in {d} dimensions: erasing them would leave nothing; expected at most {d}")
        # LEACE does not depend on the units of the dimensions, but rounding does: some differ by nine orders.
        mean, scale = table.mean(0), table.std(0)
        scale[scale <= 1e-14 * np.abs(mean)] = 1.0
        fitter = LeaceFitter.fit(
            torch.from_numpy((table - mean) / scale),
            torch.from_numpy(_indicators(classes)),
            shrinkage=shrinkage,
            # The exact projection never adds variance; the library's remedy for rounding would double the rank.
            constrain_cov_trace=False,
            svd_tol=_LEAST_CORRELATION,
        )
        found = fitter.eraser
        left, right = found.proj_left.numpy(), found.proj_right.numpy()
        kept = right.any(axis=1)
        return cls(left[:, kept] * scale[:, None], right[kept] / scale, mean, classes.names)

    @property
    def rank(self) -> int:
        """Dimensions that are taken out."""
        return self.left.shape[1]

    def erase(self, vectors: Float[np.ndarray, "n d"], renormalise: bool = False) -> Float[np.ndarray, "n d"]:
        """The vectors without the classes, in the precision they came in; their lengths change a little.

        `renormalise` brings every row back to the length it had. That divides by a number which may depend on the
        class, so it partly undoes the erasure: a linear probe can read the class again. Where a store must hold unit
        vectors, let `amnesic_check` say how much comes back.

        Raises BadInput for another dimension than in `fit`, or NaN.
        """
        table = checked_vectors(vectors)
        if table.shape[1] != len(self.mean):
            raise BadInput(f"vectors has shape {table.shape}; expected (n, {len(self.mean)}) as in fit")
        out = table - ((table - self.mean) @ self.right.T) @ self.left.T
        if renormalise:
            lengths = np.linalg.norm(table, axis=1, keepdims=True)
            out *= lengths / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-300)
        return out.astype(np.asarray(vectors).dtype)

    def save(self, path: Path | str) -> None:
        """Write a safetensors file, whole or not at all."""
        tensors = {"left": self.left, "right": self.right, "mean": self.mean}
        with atomic_path(path) as temporary:
            save_file(
                {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
                temporary,
                {"kind": "eraser", "classes": json.dumps(self.classes)},
            )

    @classmethod
    def load(cls, path: Path | str) -> Eraser:
        """Read what `save` wrote. Raises BadInput for anything else."""
        try:
            with safe_open(path, "numpy") as file:
                meta = file.metadata() or {}
                if meta.get("kind") != "eraser":
                    raise BadInput(f"{path} does not hold an eraser")
                tensors = {name: file.get_tensor(name) for name in ("left", "right", "mean")}
                return cls(**tensors, classes=tuple(json.loads(meta["classes"])))
        except (OSError, SafetensorError) as error:
            raise BadInput(f"{path} is not a whole safetensors file: {first_line(error)}") from error


def _indicators(classes: Coded) -> Float[np.ndarray, "n k"]:
    """One column a class: 1 over the root of its share where an item is of the class, else 0.

    A single column of integers would only erase a trend along their order. The scale makes the covariance of the
    columns a projection, so that singular values in LEACE are canonical correlations: a class of one item in 200 is
    judged by how well it can be told apart, not by how rare it is.
    """
    share = classes.counts / len(classes.codes)
    return np.eye(len(share))[classes.codes] / np.sqrt(share)
