"""What the folders and cards of all training runs have in common."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def append_log(log: logging.Logger, run: Path, line: Mapping[str, Any]) -> None:
    """A line of `log.jsonl` in the run's folder, said to those who watch too."""
    with open(run / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    log.info("%s", line)


def made_on(device: str) -> dict[str, str]:
    """What a card says of the machine that trained."""
    import torch

    machine = f"{platform.machine()}, {torch.get_num_threads()} threads"
    return {"device": device, "machine": machine, "torch": torch.__version__}
