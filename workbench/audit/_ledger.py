"""Ledger: what an audit has finished, on disk, so that a killed audit goes on where it stood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from workbench.core.errors import BadInput
from workbench.core.files import read_json, write_json
from workbench.core.result import Result

R = TypeVar("R", bound=Result)


class Ledger:
    """Results by name, for one plan and release of the workbench; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, plan: dict[str, Any]) -> None:
        key = json.dumps([plan, version("embedding-workbench")], sort_keys=True)
        self._folder = folder and folder / hashlib.sha256(key.encode()).hexdigest()[:12]
        self.found = 0
        """Steps that were finished by an earlier run."""

    def step(self, name: str, make: Callable[[], R]) -> R:
        """The result of a step: that of an earlier run, or made now and kept. A file that is cut short is made anew."""
        if self._folder is None:
            return make()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what was read of a store is nobody else's
        path = self._folder / f"{name.replace(' ', '-')}.json"
        if path.is_file():
            try:
                kept: Any = Result.from_json(read_json(path))
                self.found += 1
                return kept
            except BadInput:
                pass
        made = make()
        write_json(path, made.to_json())
        return made
