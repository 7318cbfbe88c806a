"""One column of a comma- or tab-separated table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from workbench.core.errors import BadInput
from workbench.data.readers._passage import Passage, open_text

__all__ = ["read_delimited"]


def read_delimited(
    paths: list[Path],
    column: int | str = "text",
    delimiter: str = ",",
    label: str = "",
    quoted: bool = True,
    header: bool = True,
    breaks: str = "",
) -> Iterator[Passage]:
    """One passage a row. `column` is a name of the header or, with `header=False`, a number.

    `breaks` is what stands for the end of a line within a text, as `<br />` does.
    """
    for path in paths:
        with open_text(path) as file:
            quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
            rows = csv.reader(file, delimiter=delimiter, quoting=quoting)
            try:
                names = next(rows, []) if header else []
                for name in (column, label):
                    if isinstance(name, str) and name and name not in names:
                        raise BadInput(f"{path} has no column {name!r}; it has: {', '.join(names) or 'none'}")
                place = names.index(column) if isinstance(column, str) else column
                label_place = names.index(label) if label else -1
                for number, row in enumerate(rows, start=2 if header else 1):
                    if not row:
                        continue
                    if len(row) < (least := max(place, label_place) + 1):
                        raise BadInput(f"{path} row {number} has {len(row)} columns; expected at least {least}")
                    text = row[place].replace(breaks, "\n") if breaks else row[place]
                    yield Passage(text, f"{path.stem}:{number}", row[label_place] if label else "")
            except csv.Error as error:
                raise BadInput(f"{path} row {rows.line_num}: {error}") from error
