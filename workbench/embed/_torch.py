"""What embedders that run on torch share."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from jaxtyping import Float, Int
from torch.nn.attention import SDPBackend, sdpa_kernel

from workbench.core.errors import BadInput

POOLINGS = ("mean", "cls", "last", "max")


def pick_device(device: str) -> str:
    """`auto` means the first accelerator, or the CPU. Raises BadInput for a device that this machine does not have."""
    if device == "auto":
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return accelerator.type if accelerator else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"device {device!r} cannot be used here; expected cpu, cuda, mps or auto") from error
    return device


def quick_in_bf16(device: str) -> bool:
    """Whether bf16 autocast makes a model faster here: on GPUs, and on CPUs that multiply bf16 themselves."""
    if device.startswith("cuda"):
        return True
    able = getattr(torch.cpu, "get_capabilities", dict)()  # torch before 2.9 cannot say
    return device == "cpu" and any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def rough_products(device: str, wanted: bool = True) -> AbstractContextManager[object]:
    """Matrix products in bf16 where that is faster; nothing else changes, and nothing at all unless `wanted`."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=wanted and quick_in_bf16(device))


def plain_attention() -> AbstractContextManager[object]:
    """Attention without fused kernels: those have no forward-mode derivative, and on CPUs a backward pass in bf16 that
    takes several times as long."""
    return sdpa_kernel(SDPBackend.MATH)


def pool(
    states: Float[torch.Tensor, "n t h"], mask: Int[torch.Tensor, "n t"], pooling: str
) -> Float[torch.Tensor, "n h"]:
    """One vector a text out of its true tokens' states."""
    weight = mask.unsqueeze(-1).to(states.dtype)
    if pooling == "mean":
        return (states * weight).sum(1) / weight.sum(1).clamp(min=1)
    if pooling == "max":
        return states.masked_fill(weight == 0, -torch.inf).amax(1)
    place = torch.zeros_like(mask[:, 0]) if pooling == "cls" else mask.sum(1) - 1
    return states[torch.arange(len(states), device=states.device), place]
