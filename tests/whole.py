"""What every result owes: it comes back from disk as it was, and shows itself in every form."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from workbench.core import render
from workbench.core.result import Result


def comes_back_and_shows(found: Result, folder: Path) -> None:
    """Assert both."""
    found.save(folder / "a.json")
    assert Result.load(folder / "a.json") == found
    for blocks in (found.blocks(), found.brief()):
        assert render.to_html(blocks) and render.to_markdown(blocks)
        json.dumps(render.to_json(blocks))
        Console(file=io.StringIO()).print(render.to_terminal(blocks))
