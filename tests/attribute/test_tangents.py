"""The lean forward-mode rules give what torch's own give, alone and under vmap, and leave what they do not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from workbench.attribute._tangents import LeanTangents
from workbench.embed._torch import plain_attention

N, T, H = 3, 5, 8


def _attend(mask: torch.Tensor | None, **kwargs: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def attend(states: torch.Tensor) -> torch.Tensor:
        heads = states.view(N, T, 2, H // 2).transpose(1, 2)
        return F.scaled_dot_product_attention(heads, heads * 1.5, heads.sin(), mask, **kwargs)

    return attend


WEIGHT, BIAS = torch.randn(H, H, dtype=torch.float64), torch.randn(H, dtype=torch.float64)
SEEN = torch.ones(N, 1, 1, T, dtype=torch.bool)
SEEN[1, ..., 3:] = False
ADDED = torch.zeros(N, 1, 1, T, dtype=torch.float64).masked_fill(~SEEN, -1e9)
LEAN: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda x: F.linear(x, WEIGHT, BIAS),
    "linear without bias": lambda x: F.linear(x, WEIGHT),
    "gelu": F.gelu,
    "layer norm": lambda x: F.layer_norm(x, (H,), BIAS, BIAS),
    "attention": _attend(None),
    "attention, scaled": _attend(None, scale=0.3),
    "attention, added mask": _attend(ADDED),
    "attention, true and false": _attend(SEEN),
}
LEFT: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh gelu": lambda x: F.gelu(x, approximate="tanh"),
    "layer norm without weights": lambda x: F.layer_norm(x, (H,)),
    "causal attention": _attend(None, is_causal=True),
}


@pytest.mark.parametrize("name", [*LEAN, *LEFT])
def test_value_and_tangents_equal_torch(name: str) -> None:
    function = (LEAN | LEFT)[name]
    states, tangents = torch.randn(N, T, H, dtype=torch.float64), torch.randn(4, N, T, H, dtype=torch.float64)

    def both(tangent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.func.jvp(function, (states,), (tangent,))

    with torch.no_grad(), plain_attention():
        plain = torch.func.vmap(both)(tangents)
        with LeanTangents():
            lean = torch.func.vmap(both)(tangents)
            single = both(tangents[0])
    for a, b, c in zip(plain, lean, single, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(c, a[0], rtol=1e-12, atol=1e-12)
