"""A stage of another distribution, registered by an entry point, that does what certain texts tell it to."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import ClassVar

from workbench.jobs.bulk.embed import Embed

__all__ = ["Trap"]


class Trap(Embed):
    """Embeds, but `kill once`, `kill until mended`, `sleep once`, `raise` and `unreachable` are obeyed."""

    batch_rows: ClassVar[int] = 8

    def run(self, table):
        marks = Path(self.recipe["marks"])
        for text in table["text"].to_pylist():
            match text:
                case "kill once" if _first(marks / "killed"):
                    os.kill(os.getpid(), signal.SIGKILL)
                case "kill until mended" if not (marks / "mended").exists():
                    os.kill(os.getpid(), signal.SIGKILL)
                case "sleep once" if _first(marks / "slept"):
                    time.sleep(120)
                case "raise":
                    raise ValueError("not this one")
                case "unreachable":
                    raise ConnectionError("no answer")
        return super().run(table)


def _first(mark):
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
