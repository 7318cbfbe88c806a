"""TopKAutoencoder: a vector as a sum of at most k features out of a learnt dictionary (Gao et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core import checkpoint
from workbench.core.card import Card
from workbench.core.errors import BadInput
from workbench.core.files import atomic_folder, sha256_of
from workbench.core.tensors import whole_tensors
from workbench.core.vectors import require_finite

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

KIND = "sae"
_WEIGHTS = "sae.safetensors"
_BATCH = 4096


@dataclass(frozen=True, eq=False)
class SparseCodes:
    """n vectors as sums of features: of each the k features with the largest activations, the strongest first.

    Activations are in the vectors' own units and never negative; a feature whose activation is 0 is not active.
    `features` (m) is the size of the dictionary.
    """

    indices: Int[np.ndarray, "n k"]
    activations: Float[np.ndarray, "n k"]
    features: int

    def __len__(self) -> int:
        return len(self.indices)

    def select(self, rows: Any) -> SparseCodes:
        """The rows that a mask, slice or index array picks."""
        return replace(self, indices=self.indices[rows], activations=self.activations[rows])

    def active(self) -> Int[np.ndarray, " n"]:
        """How many features are active in each row: at most k."""
        return (self.activations > 0).sum(axis=1)

    def counts(self) -> Int[np.ndarray, " m"]:
        """In how many rows each feature is active."""
        return np.bincount(self.indices[self.activations > 0], minlength=self.features)

    def sparse(self) -> csr_matrix:
        """The activations as a sparse matrix (n m), without the zeros."""
        from scipy.sparse import csr_matrix

        rows = np.repeat(np.arange(len(self)), self.indices.shape[1])
        shape = (len(self), self.features)
        matrix = csr_matrix((self.activations.ravel(), (rows, self.indices.ravel())), shape=shape)
        matrix.eliminate_zeros()
        return matrix


@dataclass(frozen=True, eq=False)
class TopKAutoencoder:
    """A frozen top-k sparse autoencoder: x is about `centre` plus activations times rows of `decoder`.

    The activations of x are the k largest entries of `encoder (x - centre) + bias`, those below 0 taken as 0; the rows
    of `decoder` have norm 1, so an activation says how far its feature moves the vector. Trained by `train_sae`.
    Gao et al. 2024, Scaling and evaluating sparse autoencoders, arXiv 2406.04093.
    """

    encoder: Float[np.ndarray, "m d"]
    bias: Float[np.ndarray, " m"]
    decoder: Float[np.ndarray, "m d"]
    centre: Float[np.ndarray, " d"]
    k: int
    embedder: str = "unknown"
    revision: str = ""
    """The embedder whose vectors were learnt, and its weights."""

    def __post_init__(self) -> None:
        m, d = self.decoder.shape
        if self.encoder.shape != (m, d) or self.bias.shape != (m,) or self.centre.shape != (d,):
            raise BadInput(
                f"decoder has shape {(m, d)} but encoder {self.encoder.shape}, bias {self.bias.shape} and centre "
                f"{self.centre.shape}; expected {(m, d)}, {(m,)} and {(d,)}"
            )
        if not 1 <= self.k <= m:
            raise BadInput(f"k is {self.k}; expected 1 to {m}, the number of features")

    @property
    def features(self) -> int:
        """m, the size of the dictionary."""
        return self.decoder.shape[0]

    @property
    def dim(self) -> int:
        """d, the number of dimensions."""
        return self.decoder.shape[1]

    def encode(self, vectors: Float[np.ndarray, "n d"]) -> SparseCodes:
        """The active features of each vector. Raises BadInput for another dimension, NaN or infinity."""
        import torch

        vectors = self._checked(vectors)
        weight, bias, centre = (torch.from_numpy(each) for each in (self.encoder, self.bias, self.centre))
        indices = np.empty((len(vectors), self.k), np.int64)
        activations = np.empty((len(vectors), self.k), np.float32)
        for start in range(0, len(vectors), _BATCH):
            batch = torch.from_numpy(vectors[start : start + _BATCH])
            values, places = torch.addmm(bias, batch - centre, weight.T).topk(self.k)
            rows = slice(start, start + len(batch))
            indices[rows], activations[rows] = places.numpy(), values.relu().numpy()
        return SparseCodes(indices, activations, self.features)

    def decode(self, codes: SparseCodes) -> Float[np.ndarray, "n d"]:
        """The vectors that the codes stand for: gathers k rows a vector, and makes nothing of size n m."""
        import torch
        from torch.nn.functional import embedding_bag

        if codes.features != self.features:
            raise BadInput(f"codes are of {codes.features} features; this autoencoder has {self.features}")
        indices, activations = torch.from_numpy(codes.indices), torch.from_numpy(codes.activations)
        summed = embedding_bag(indices, torch.from_numpy(self.decoder), mode="sum", per_sample_weights=activations)
        return summed.numpy() + self.centre

    def reconstruct(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """`decode` of `encode`."""
        return self.decode(self.encode(vectors))

    def save(self, folder: Path | str, card: Card | None = None) -> None:
        """Write a checkpoint, card.json and safetensors, whole or not at all; a former one is replaced.

        `card` tells of the training; what the loader needs is filled in here. Raises BadInput where `folder` holds
        something else than a checkpoint.
        """
        from safetensors.numpy import save_file

        folder = Path(folder)
        if folder.exists() and not (folder / "card.json").is_file():
            raise BadInput(f"{folder} is there and is not a checkpoint; name a new folder")
        card = card or Card(
            name=folder.name,
            kind=KIND,
            summary="",
            embedder=self.embedder,
            embedder_revision=self.revision,
            licence="unknown",
            config={},
            data=(),
            training={},
        )
        arrays = {"encoder": self.encoder, "bias": self.bias, "decoder": self.decoder, "centre": self.centre}
        with atomic_folder(folder) as temporary:
            save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary / _WEIGHTS)
            config = {"dim": self.dim, "features": self.features, "k": self.k}
            digest = {_WEIGHTS: sha256_of(temporary / _WEIGHTS)}
            replace(card, kind=KIND, config=config, sha256=digest).save(temporary)

    @classmethod
    def load(cls, name: Path | str) -> TopKAutoencoder:
        """Open a checkpoint by folder, or by name if it ships. Raises UnknownName, and BadInput where it is damaged."""
        from safetensors.numpy import load_file

        folder = checkpoint.locate(name)
        card = checkpoint.open_card(folder, KIND)
        with whole_tensors(folder / _WEIGHTS):
            found = load_file(folder / _WEIGHTS)
            return cls(**found, k=card.config["k"], embedder=card.embedder, revision=card.embedder_revision)

    def _checked(self, vectors: np.ndarray) -> np.ndarray:
        vectors = np.require(vectors, np.float32, ["C", "W"])  # torch takes no array that cannot be written to
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise BadInput(
                f"vectors has shape {vectors.shape}; this autoencoder expects (n, {self.dim}): was another embedder "
                f"used than {self.embedder}?"
            )
        require_finite(vectors)
        return vectors
