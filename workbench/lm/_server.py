"""What runs the language model behind soft prompts: it reads packed prompts once, and goes on writing from there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.lm._packing import Packed


@dataclass(frozen=True)
class Writing:
    """How a text is written: greedily, up to the token `end` or so many tokens."""

    end: int
    abstain: tuple[int, ...]
    """First tokens that are taken only where they have half of the probability together."""
    most_tokens: int

    def first(self, logits: Float[Tensor, "n v"]) -> Int[Tensor, " n"]:
        """The first token. One that abstains would be the likeliest far too often, since texts begin in many ways."""
        abstain = list(self.abstain)
        weak = torch.softmax(logits.float(), dim=-1)[:, abstain].sum(1) < 0.5
        taken = torch.zeros_like(logits, dtype=torch.bool)
        taken[:, abstain] = weak[:, None]
        return logits.masked_fill(taken, -torch.inf).argmax(-1)


@dataclass(frozen=True)
class Told:
    """What was said to n packed prompts."""

    logits: Float[Tensor, "q v"]
    """Of the successors that count, in the order of `Packed.told`."""
    written: list[list[int]]
    """How the first segment of each row goes on, without its end; empty where nothing was to be written."""


class Server(ABC):
    """A language model that is served: by torch, or by another library."""

    @abstractmethod
    def tell(self, x: Float[Tensor, "n t h"], packed: Packed, writing: Writing | None = None) -> Told:
        """Read the embeddings `x` of packed prompts, and with `writing` go on behind each row's first segment, which
        must end at the same place in all rows."""


def first_segments(packed: Packed) -> Int[Tensor, " n"]:
    """For each row the number in `told` of its first segment."""
    return torch.searchsorted(packed.told[:, 0].contiguous(), torch.arange(len(packed.ids)))
