"""A copy of a language model with rounded weights: faster, not quite right, and so good for guessing ahead."""

from __future__ import annotations

import copy
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

_GROUP = 64
"""Weights that share a step and a middle."""
_ROWS = 16
"""The kernel works on so many outputs at once."""
_LEVELS = 15
_KERNELS = ("_convert_weight_to_int4pack_for_cpu", "_weight_int4pack_mm_for_cpu")


class RoundedLinear(nn.Module):
    """A linear map with weights of twice four bits: rounded to 16 even steps a group, and what that misses once more.

    Four bits alone change every third token of a model of 135M weights, twice four one in thirty. torch's kernel for
    eight bits takes nearly twice as long on one row. Products are summed in bf16.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        groups = linear.weight.detach().float().unflatten(1, (-1, _GROUP))
        coarse = _rounded(groups)
        both = [coarse, _rounded(groups - coarse.value)]
        levels = torch.cat([each.levels for each in both]).flatten(1).int()
        scales = torch.cat([torch.stack([each.step, each.middle], dim=-1) for each in both])
        self.packed: Int[Tensor, "two_h w"]
        self.scales: Float[Tensor, "g two_h 2"]
        self.register_buffer("packed", torch.ops.aten._convert_weight_to_int4pack_for_cpu(levels, 1))
        self.register_buffer("scales", scales.transpose(0, 1).contiguous().bfloat16())
        self.bias = linear.bias

    @staticmethod
    def fits(module: nn.Module) -> bool:
        """Whether the kernel can stand for this module: a linear map on the CPU whose sizes divide evenly."""
        return (
            type(module) is nn.Linear
            and module.weight.device.type == "cpu"
            and module.in_features % _GROUP == 0
            and module.out_features % _ROWS == 0
        )

    def forward(self, x: Float[Tensor, "... k"]) -> Float[Tensor, "... h"]:
        """x times the rounded weights."""
        rows = x.reshape(-1, x.shape[-1]).bfloat16()
        halves = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.packed, _GROUP, self.scales)
        y = halves.to(x.dtype).view(*x.shape[:-1], 2, -1).sum(-2)
        return y if self.bias is None else y + self.bias


class _Rounded:
    """Groups of weights as levels 0 to 15; the kernel reads level l as (l - 8) step + middle, in bf16."""

    def __init__(self, levels: Tensor, step: Tensor, middle: Tensor) -> None:
        self.levels, self.step, self.middle = levels, step, middle

    @property
    def value(self) -> Float[Tensor, "h g w"]:
        """The weights that the levels stand for."""
        return (self.levels - (_LEVELS + 1) / 2) * self.step[..., None] + self.middle[..., None]


def _rounded(groups: Float[Tensor, "h g w"]) -> _Rounded:
    least = groups.amin(-1)
    step = ((groups.amax(-1) - least) / _LEVELS).clamp(min=1e-9).bfloat16().float()
    middle = (least + step * (_LEVELS + 1) / 2).bfloat16().float()
    first = middle - step * (_LEVELS + 1) / 2
    return _Rounded(((groups - first[..., None]) / step[..., None]).round().clamp(0, _LEVELS), step, middle)


def can_round() -> bool:
    """Whether this torch has the kernels; they are not of its public interface."""
    return all(hasattr(torch.ops.aten, name) for name in _KERNELS)


def rounded_copy(lm: nn.Module) -> Any | None:
    """The model with its linear maps rounded, all else shared with it; None where none of them fits."""
    places = [name for name, module in lm.named_modules() if RoundedLinear.fits(module)]
    if not places:
        return None
    shared = {id(each): each for each in (*lm.parameters(), *lm.buffers())}
    rounded = copy.deepcopy(lm, shared)
    for place in places:
        rounded.set_submodule(place, RoundedLinear(lm.get_submodule(place)))  # type: ignore[arg-type]
    return rounded
