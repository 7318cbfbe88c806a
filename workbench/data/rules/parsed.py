"""What a parser says of a sentence: tense, number, depth, subordinate clause, named entity (silver labels)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workbench.core.errors import UnknownName
from workbench.data._silver import silver
from workbench.data.rules._item import Item

__all__ = ["label_parsed"]

_COLUMNS = ("tense", "subject", "object", "depth", "clause", "entity")


def label_parsed(
    source: Sequence[str], column: str, rename: Mapping[str, str] | None = None, limit: int = 30_000
) -> Iterator[Item]:
    """`column` is one of tense, subject, object (their number), depth, clause and entity.

    `rename` maps the parser's values to classes, `none` being no value; with it, other values are left out. Without
    it, sentences without a value are.
    """
    if column not in _COLUMNS:
        raise UnknownName("column", column, _COLUMNS)
    for name in source:
        table = silver(name, limit).select(["text", "group", column])
        for row in table.to_pylist():
            value = str(row[column] or "")
            label = value if rename is None else rename.get(value or "none", "")
            if label:
                yield Item(row["text"], label, row["group"])
