"""From a vector to soft tokens: what a language model reads in place of words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.errors import BadInput
from workbench.core.vectors import unit, whitening
from workbench.lm.bag_of_words import BagOfWords

Variant = Literal["words", "affine", "linear"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
_CLIP = 6.0
_FLOOR = 1e-3
"""Least variance of a direction, relative to the mean one, where typicality is measured."""


@dataclass(frozen=True)
class ProjectorConfig:
    """Shape of a projector from d dimensions to soft tokens of a language model with `hidden` dimensions.

    `words` soft tokens are embeddings of the words that the closed-form bag of words reads, likeliest first; `free`
    ones are an affine map of the vector; one more tells how typical the vector is. Variant `affine` has no word tokens,
    `linear` has neither words nor the residual network, as in xRAG and ELM.
    """

    dim: int
    hidden: int
    pool: int
    """Words that can be read."""
    words: int = 12
    free: int = 4
    inner: int = 512
    variant: Variant = "words"

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise BadInput(f"projector variant {self.variant!r}; expected one of {', '.join(VARIANTS)}")
        if self.free < 1 or self.words < 0 or self.words > self.pool:
            raise BadInput(
                f"{self.free} free and {self.words} word tokens of {self.pool} words; expected at least 1 free"
            )

    @property
    def word_tokens(self) -> int:
        """Soft tokens that are words."""
        return self.words if self.variant == "words" else 0

    @property
    def tokens(self) -> int:
        """Soft tokens of one vector."""
        return self.word_tokens + self.free + 1


class Read(NamedTuple):
    """The words that a vector tells most of, best first, and the probability that each stands in its text."""

    words: Int[Tensor, "n k"]
    chances: Float[Tensor, "n k"]


class Projector(nn.Module):
    """Soft tokens of vectors: closed form at first, and a residual network that starts at zero.

    The warm start reads words by ridge regression and stands their own embeddings in the prompt, so that an untouched
    language model already sees what the vector is about; how sure each word is goes along one direction of its token.
    """

    def __init__(self, config: ProjectorConfig) -> None:
        super().__init__()
        self.config = config
        d, h = config.dim, config.hidden
        self.table: Tensor
        self.weight: Tensor
        self.bias: Tensor
        self.prior: Tensor
        self.mean: Tensor
        self.whitening: Tensor
        self.typical: Tensor
        self.size: Tensor
        self.register_buffer("table", torch.zeros(config.pool, h), persistent=False)  # the language model's own
        self.register_buffer("weight", torch.zeros(d, config.pool))
        self.register_buffer("bias", torch.zeros(config.pool))
        self.register_buffer("prior", torch.zeros(config.pool))
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("whitening", torch.eye(d))
        self.register_buffer("typical", torch.tensor([0.0, 1.0]))
        self.register_buffer("size", torch.tensor(1.0))
        self.free = nn.Linear(d, config.free * h, bias=config.variant != "linear")
        self.sure = nn.Parameter(torch.randn(h) / 2)
        self.usual = nn.Parameter(torch.randn(h))
        if config.variant != "linear":
            last = nn.Linear(config.inner, config.tokens * h)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            self.residual = nn.Sequential(nn.Linear(d + 1, config.inner), nn.GELU(), last)

    def set_table(self, table: Float[Tensor, "p h"]) -> None:
        """The embeddings that the language model has for the pool's words."""
        self.table = table.to(self.weight.device)

    def start(
        self,
        bag: BagOfWords,
        vectors: Float[np.ndarray, "n d"],
        targets: Float[np.ndarray, "n f h"],
        size: float,
        ridge: float = 1e-2,
    ) -> None:
        """The closed forms: the bag of words over the pool, the spread of n vectors, and ridge for the free tokens.

        `targets` are what the free tokens should be for these vectors; `size` is the root mean square of an entry of
        the language model's embeddings, which all free tokens are given.
        """
        table = unit(vectors)
        mean = table.mean(0, dtype=np.float64)
        centred = (table - mean).astype(np.float64)
        covariance = centred.T @ centred / len(table)
        white = whitening(covariance, _FLOOR)
        far = np.log(np.square(centred @ white).mean(1) + 1e-9)
        flat = targets.reshape(len(targets), -1).astype(np.float64)
        middle = flat.mean(0)
        penalty = ridge * np.trace(covariance) / len(mean) * np.eye(len(mean))
        solved = np.linalg.solve(covariance + penalty, centred.T @ (flat - middle) / len(table))
        with torch.no_grad():
            self.weight.copy_(torch.from_numpy(bag.weight))
            self.bias.copy_(torch.from_numpy(bag.bias))
            self.prior.copy_(torch.from_numpy(bag.prior))
            self.mean.copy_(torch.from_numpy(mean))
            self.whitening.copy_(torch.from_numpy(white))
            self.typical.copy_(torch.tensor([far.mean(), far.std() + 1e-6]))
            self.size.fill_(size)
            self.free.weight.copy_(torch.from_numpy(solved.T / math.sqrt(len(mean))))
            if self.free.bias is not None:
                self.free.bias.copy_(torch.from_numpy(middle - mean @ solved))
            self.sure.copy_(F.normalize(self.sure, dim=0) * size * math.sqrt(len(self.sure)) / 2)
            self.usual.copy_(F.normalize(self.usual, dim=0) * size * math.sqrt(len(self.usual)))

    def typicality(self, vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """How far out vectors lie among the corpus', in standard deviations of the log of Mahalanobis' distance."""
        unit = F.normalize(vectors, dim=-1)
        far = ((unit - self.mean) @ self.whitening).square().mean(-1).clamp(min=1e-9).log()
        return ((far - self.typical[0]) / self.typical[1]).clamp(-_CLIP, _CLIP)

    def read(self, vectors: Float[Tensor, "n d"], k: int) -> Read:
        """The k words with the highest probability times rarity."""
        evidence = (F.normalize(vectors, dim=-1) @ self.weight + self.bias).clamp(-_CLIP, 10.0)
        chances = torch.sigmoid(evidence + self.prior)
        best = (chances * F.softplus(-self.prior)).topk(min(k, self.config.pool), dim=-1).indices
        return Read(best, chances.gather(1, best))

    def forward(self, vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n k h"]:
        """The soft tokens of vectors of any length."""
        n, config = len(vectors), self.config
        scaled = F.normalize(vectors, dim=-1) * math.sqrt(config.dim)
        free = self.free(scaled).view(n, config.free, config.hidden)
        free = free / free.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-6) * self.size
        usual = self.typicality(vectors)[:, None]
        tokens = [free, (usual / 2)[:, :, None] * self.usual]
        if config.word_tokens:
            found = self.read(vectors, config.word_tokens)
            sure = ((torch.logit(found.chances.clamp(1e-4, 1 - 1e-4)) + 1.0) / 2).clamp(-2, 2)
            tokens.insert(0, self.table[found.words] + sure[:, :, None] * self.sure)
        whole = torch.cat(tokens, dim=1)
        if config.variant == "linear":
            return whole
        return whole + self.size * self.residual(torch.cat([scaled, usual], dim=1)).view_as(whole)


def word_embeddings(tokenizer: object, table: Float[Tensor, "v h"], words: Sequence[str]) -> Float[Tensor, "p h"]:
    """For each word the mean of its tokens' embeddings, as it stands after a blank."""
    rows = tokenizer([f" {word}" for word in words], add_special_tokens=False).input_ids  # type: ignore[operator]
    return torch.stack([table[row].mean(0) for row in rows])
