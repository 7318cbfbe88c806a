"""One field of each record of a JSON object or list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.core.files import read_json
from workbench.data.readers._passage import Passage

__all__ = ["read_records"]


def read_records(paths: list[Path], field: str = "text") -> Iterator[Passage]:
    """One passage a record, grouped by its key (or number)."""
    for path in paths:
        content = read_json(path)
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, record in items:
            yield Passage(record[field], str(key))
