"""Lean forward-mode rules for four operations of a transformer: linear layers, layer norms, the exact GELU, attention.

torch's own rules add the zero tangents of weights that do not move, take an exponential for every tangent of a GELU,
pass a dozen times over those of a layer norm, and scale those of queries and keys. Under `vmap` over a text's tokens
that is a tenth of the whole cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode


class _Linear(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        return linear(states, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        ctx.save_for_forward(inputs[1])

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> torch.Tensor:
        return linear(tangents[0], ctx.saved_tensors[0])


class _Gelu(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        share = torch.special.ndtr(states)
        slope = share + states * torch.exp(-0.5 * states * states) / math.sqrt(2 * math.pi)
        return states * share, slope

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, torch.Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_forward(output[1])

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[torch.Tensor, None]:
        return tangents[0] * ctx.saved_tensors[0], None


class _LayerNorm(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        variance, mean = torch.var_mean(states, -1, correction=0, keepdim=True)
        rate = torch.rsqrt(variance + eps)
        normal = (states - mean) * rate
        return normal * weight + bias, normal, rate * weight

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_forward(*output[1:])

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[torch.Tensor, None, None]:
        moved, (normal, scale) = tangents[0], ctx.saved_tensors
        turned = (moved * normal).mean(-1, keepdim=True)
        return torch.addcmul(moved - moved.mean(-1, keepdim=True), normal, turned, value=-1) * scale, None, None


class _Attention(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scale: float
    ) -> tuple[torch.Tensor, ...]:
        query, key = query * scale, key.transpose(-2, -1)
        scores = query @ key
        share = torch.softmax(scores if mask is None else scores + mask, -1)
        return share @ value, share, query, key * scale, value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_forward(*output[1:])

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[torch.Tensor | None, ...]:
        share, query, key, value = ctx.saved_tensors
        scores = share * (tangents[0] @ key + query @ tangents[1].transpose(-2, -1))
        shares = torch.addcmul(scores, share, scores.sum(-1, keepdim=True), value=-1)
        return shares @ value + share @ tangents[2], None, None, None, None


class LeanTangents(TorchFunctionMode):
    """While it is entered, linear layers, layer norms, exact GELUs and plain attention carry lean tangents.

    For forward mode with weights that stand still and need no gradient.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        rule = _RULES.get(func)
        found = rule(*args, **(kwargs or {})) if rule else None
        return func(*args, **(kwargs or {})) if found is None else found


def _linear(input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> Any:
    return _Linear.apply(input, weight, bias)


def _gelu(input: torch.Tensor, approximate: str = "none") -> Any:
    return _Gelu.apply(input)[0] if approximate == "none" else None  # type: ignore[index]


def _layer_norm(
    input: torch.Tensor,
    normalized_shape: Sequence[int],
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    if len(normalized_shape) != 1 or weight is None or bias is None:
        return None
    return _LayerNorm.apply(input, weight, bias, eps)[0]  # type: ignore[index]


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    if dropout_p or is_causal or enable_gqa:
        return None
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill(~attn_mask, -torch.inf)
    return _Attention.apply(query, key, value, attn_mask, scale or query.shape[-1] ** -0.5)[0]  # type: ignore[index]


_RULES: dict[Callable[..., Any], Callable[..., Any]] = {
    linear: _linear,
    gelu: _gelu,
    layer_norm: _layer_norm,
    scaled_dot_product_attention: _attention,
}
"""Functions of torch, and ours in their place; None where ours does not fit the arguments."""
