"""What the folders and cards of all training runs have in common."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import BadInput
from workbench.core.files import read_json


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a training run ended: what it took on which device, and the validation lines of its log."""

    steps: int
    seconds: float
    cpu_seconds: float
    device: str
    curve: tuple[dict[str, Any], ...] = ()
    leads: bool = True
    """Whether this process is the one that evaluates and ships."""


def append_log(log: logging.Logger, run: Path, line: Mapping[str, Any]) -> None:
    """A line of `log.jsonl` in the run's folder, said to those who watch too."""
    with open(run / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    log.info("%s", line)


def validation_curve(run: Path) -> tuple[dict[str, Any], ...]:
    """The lines of `log.jsonl` that tell of held-out texts."""
    path = run / "log.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return tuple(line for line in map(json.loads, lines) if "validation_nats" in line)


def refuse_another(recipe: Mapping[str, Any], run: Path, free: Sequence[str] = ()) -> None:
    """Raise BadInput where the folder holds a run of another recipe; `free` fields may differ."""
    path = run / "recipe.json"
    if not path.exists():
        return
    former = read_json(path)
    if changed := [key for key in recipe if former.get(key) != recipe[key] and key not in free]:
        raise BadInput(f"{run} holds a run with another {', '.join(changed)}; use another folder or the same recipe")


def share_done(step: int, steps: int, seconds: float, minutes: float) -> float:
    """Share of a run that is behind it, 1 at the end; `minutes` end it too, unless they are 0."""
    by_time = seconds / (60 * minutes) if minutes else 0.0
    return min(1.0, max(step / steps, by_time))


def made_on(device: str) -> dict[str, str]:
    """What a card says of the machine that trained."""
    import torch

    machine = f"{platform.machine()}, {torch.get_num_threads()} threads"
    if device.startswith("cuda"):
        machine = f"{torch.cuda.get_device_name(device)}, {machine}"
    return {"device": device, "machine": machine, "torch": torch.__version__}
