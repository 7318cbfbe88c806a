"""What the folders and cards of all training runs have in common."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.core.errors import BadInput
from workbench.core.files import read_json


def append_log(log: logging.Logger, run: Path, line: Mapping[str, Any]) -> None:
    """A line of `log.jsonl` in the run's folder, said to those who watch too."""
    with open(run / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    log.info("%s", line)


def check_recipe(recipe: Any, run: Path, free: Sequence[str] = ("steps", "minutes")) -> None:
    """Refuse to go on with a run of another recipe (a dataclass) than the one in its folder, `free` fields apart."""
    path = run / "recipe.json"
    if not path.exists():
        return
    former, now = read_json(path), asdict(recipe)
    if changed := [key for key in now if former.get(key) != now[key] and key not in free]:
        raise BadInput(f"{run} holds a run with another {', '.join(changed)}; use another folder or the same recipe")


def made_on(device: str) -> dict[str, str]:
    """What a card says of the machine that trained."""
    import torch

    machine = f"{platform.machine()}, {torch.get_num_threads()} threads"
    return {"device": device, "machine": machine, "torch": torch.__version__}
