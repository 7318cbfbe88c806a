"""Pointer: which piece of a draft is to be written next."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

_WIDTH = 128


@dataclass
class Pointed:
    """A draft as a Pointer reads it, once a text."""

    ids: Int[Tensor, "n s"]
    keys: Float[Tensor, "n s k"]
    valid: Bool[Tensor, "n s"]

    def take(self, rows: Int[Tensor, " m"]) -> Pointed:
        """The given rows."""
        return Pointed(self.ids[rows], self.keys[rows], self.valid[rows])


class Pointer(nn.Module):
    """Raises the logits of a draft's pieces by what the state before the next piece says to each; at first by nothing.

    As CopyNet (Gu et al. 2016), but as a factor on the decoder's own probability, which knows the vector.

    A piece is known by itself, by its place, and by both its neighbours: what follows on the piece just written is then
    one product away, where attention would have to learn it over two layers.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.key = nn.Linear(3 * hidden, _WIDTH)
        self.ask = nn.Linear(hidden, _WIDTH)
        nn.init.zeros_(self.ask.weight)
        nn.init.zeros_(self.ask.bias)

    def read(self, ids: Int[Tensor, "n s"], pieces: Float[Tensor, "n s h"], valid: Bool[Tensor, "n s"]) -> Pointed:
        """Keys of a draft's pieces, given as they stand before the text."""
        x = F.pad(self.norm(pieces) * valid.unsqueeze(2), (0, 0, 1, 1))
        return Pointed(ids, self.key(torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], dim=2)), valid)

    def forward(
        self, logits: Float[Tensor, "n t v"], x: Float[Tensor, "n t h"], draft: Pointed
    ) -> Float[Tensor, "n t v"]:
        """The logits after states `x`, in place."""
        scores = self.ask(x) @ draft.keys.transpose(1, 2)  # unscaled: they are logits, and have to grow quickly
        scores = (scores * draft.valid.unsqueeze(1)).to(logits.dtype)
        return logits.scatter_add_(2, draft.ids.unsqueeze(1).expand_as(scores), scores)
