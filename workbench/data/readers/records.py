"""One field of each record of a JSON object or list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.core.files import read_json
from workbench.data.readers._passage import Passage, of_form, text_of

__all__ = ["read_records"]


def read_records(paths: list[Path], field: str = "text") -> Iterator[Passage]:
    """One passage a record, grouped by its key (or number)."""
    for path in paths:
        content = read_json(path)
        with of_form(path, f"an object or list of records with the text {field!r}"):
            items = content.items() if isinstance(content, dict) else enumerate(content)
            for key, record in items:
                yield Passage(text_of(record[field]), str(key))
