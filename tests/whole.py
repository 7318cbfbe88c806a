"""What every result owes: it comes back from disk as it was, and shows itself in every form."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
from rich.console import Console

from workbench.core import render
from workbench.core.result import Result
from workbench.core.schema import result_schema


def comes_back_and_shows(found: Result, folder: Path) -> None:
    """Assert both."""
    found.save(folder / "a.json")
    assert Result.load(folder / "a.json") == found
    jsonschema.validate(json.loads((folder / "a.json").read_text()), result_schema(type(found)))
    for blocks in (found.blocks(), found.brief()):
        assert render.to_html(blocks) and render.to_markdown(blocks)
        json.dumps(render.to_json(blocks))
        Console(file=io.StringIO()).print(render.to_terminal(blocks))
