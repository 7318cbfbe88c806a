"""AdamW's moments as plain tensors by name, so that a resumed run goes on as the unbroken one would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

_KEYS = ("exp_avg", "exp_avg_sq", "step")
Named = Iterable[tuple[str, torch.nn.Parameter]]


def moments_of(parameters: Named, optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """What to save; a parameter that no batch has used yet has no moments."""
    used = ((name, optimiser.state[part]) for name, part in parameters if part in optimiser.state)
    return {f"{key}.{name}": state[key].cpu() for name, state in used for key in _KEYS}


def restore_moments(parameters: Named, optimiser: torch.optim.Optimizer, saved: Mapping[str, torch.Tensor]) -> None:
    """Take up what `moments_of` gave."""
    for name, part in parameters:
        if f"step.{name}" in saved:
            optimiser.state[part] = {
                key: saved[f"{key}.{name}"] if key == "step" else saved[f"{key}.{name}"].to(part.device)
                for key in _KEYS
            }
