"""TextDecoder: what any model that writes the text of a vector can do, and the draft that it may be shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from workbench.lm.bag_of_words import BagOfWords

PAD, UNK, EOS = 0, 1, 2


@dataclass(frozen=True)
class Candidate:
    """A finished text: its piece ids without the end, and its log-probability per piece (natural log)."""

    ids: tuple[int, ...]
    score: float


@dataclass(frozen=True)
class Draft:
    """Hypotheses to be rewritten: their pieces, padded on the left, and their own vectors."""

    ids: Int[Tensor, "n s"]
    vectors: Float[Tensor, "n d"]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], vectors: Float[np.ndarray, "n d"], device: str | torch.device) -> Draft:
        """From piece ids of any lengths."""
        ids = padded([row if len(row) else (PAD,) for row in rows], device, "left")
        return cls(ids, torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32)).to(device))

    @property
    def valid(self) -> Bool[Tensor, "n s"]:
        """True where there is a piece."""
        return self.ids != PAD

    def take(self, rows: slice | Int[Tensor, " m"]) -> Draft:
        """The given rows."""
        return Draft(self.ids[rows], self.vectors[rows])


def padded(
    rows: Sequence[Sequence[int]], device: str | torch.device, side: Literal["left", "right"] = "right"
) -> Int[Tensor, "n t"]:
    """Rows of ids as one tensor, as wide as the longest."""
    ids = [torch.as_tensor(row, dtype=torch.long) for row in rows]
    return pad_sequence(ids, batch_first=True, padding_value=PAD, padding_side=side).to(device)


class TextDecoder(nn.Module, ABC):
    """p(text | vector), or with a draft p(text | vector, draft, the draft's vector), piece by piece.

    A draft needs a model that `corrects` (vec2text's second stage, Morris et al. 2023). One that `takes_hints` can be
    told how much likelier each piece is than it thinks by itself.
    """

    max_tokens: int
    corrects: bool
    takes_hints: bool = False

    @abstractmethod
    def set_bag_of_words(self, bag: BagOfWords) -> None:
        """Take over a fitted bag of words, if the model leans on one; it is not trained further."""

    @abstractmethod
    def forward(
        self, vectors: Float[Tensor, "n d"], ids: Int[Tensor, "n t"], draft: Draft | None = None
    ) -> Float[Tensor, "n t_plus_1 v"]:
        """Logits of every next piece, given the vector and the pieces before it; texts of one length, no padding."""

    @abstractmethod
    def beams(
        self,
        vectors: Float[Tensor, "n d"],
        width: int,
        limit: int,
        banned: Int[Tensor, " k"] | None,
        draft: Draft | None,
        hints: Float[Tensor, "n v"] | None,
    ) -> list[list[Candidate]]:
        """For each vector its best texts, best first, at most `width` of them. See `generate`."""
