"""The label column of a CSV file of the user's."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.core.errors import BadInput
from workbench.core.text import squeeze
from workbench.data.readers._passage import open_text
from workbench.data.rules._item import Item

__all__ = ["label_by_table"]


def label_by_table(
    source: Sequence[str], text: str = "text", label: str = "label", group: str = "group"
) -> Iterator[Item]:
    """Columns named in the header; without a `group` column each text is its own group."""
    for name in source:
        if not Path(name).is_file():
            raise BadInput(f"{name} is not there; expected a CSV file beside task.toml")
        with open_text(Path(name)) as file:
            rows = csv.DictReader(file)
            for column in (text, label):
                if column not in (rows.fieldnames or ()):
                    raise BadInput(f"{name} has no column {column!r}; it has: {', '.join(rows.fieldnames or ())}")
            for row in rows:
                if row[text]:
                    yield Item(squeeze(row[text]), str(row[label]), row.get(group) or row[text])
