"""One field of a file with a JSON object on every line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.core.errors import BadInput
from workbench.core.files import parse_json
from workbench.data.readers._passage import Passage, open_text

__all__ = ["read_jsonl"]


def read_jsonl(paths: list[Path], field: str = "text", after: str = "") -> Iterator[Passage]:
    """One passage a line; `after` drops all up to its first occurrence (a title before the text)."""
    for path in paths:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                record = parse_json(line, f"{path} line {number}")
                if not isinstance(record, dict) or not isinstance(record.get(field), str):
                    found = ", ".join(record) if isinstance(record, dict) else type(record).__name__
                    raise BadInput(f"{path} line {number} has no text in {field!r}; it has: {found}")
                text = record[field]
                if after and after in text:
                    text = text.split(after, 1)[1]
                yield Passage(text, f"{path.stem}:{number}")
