"""Which columns of a table of texts are the text, the id and the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.columns import INDEX
from workbench.core.errors import BadInput
from workbench.core.ids import id_text
from workbench.data._delimited import typed

TEXT_NAMES = (
    *("text", "texts", "sentence", "content", "body", "document", "passage", "chunk", "page_content", "message"),
    *("comment", "review", "description", "narrative", "utterance", "question", "query", "abstract", "summary"),
    *("title", "input", "prompt"),
)
ID_NAMES = (
    *("id", "_id", "ids", "uuid", "guid", "key", "pk", "doc_id", "docid", "document_id", "text_id", "row_id"),
    *("record_id", "identifier", "index", "idx", "column_1", INDEX),
)
"""Usual names, the likeliest first. A first column without a name, as pandas writes its index, is column_1."""
_GROUP = "group"


@dataclass(frozen=True)
class TextColumns:
    """Names of columns; `id` is "" where rows are numbered."""

    text: str
    id: str
    labels: tuple[str, ...]
    why_numbered: str = ""

    def sentence(self) -> str:
        """What was found, for the person who watches."""
        ids = f"ids from {self.id!r}" if self.id else f"ids are row numbers{self.why_numbered}"
        return f"texts from {self.text!r}, {ids}, labels: {', '.join(self.labels) or 'none'}"


def text_columns(
    columns: Mapping[str, Sequence[Any]],
    name: str,
    text: str = "",
    id: str = "",
    labels: Sequence[str] | None = None,
    unique: bool = True,
) -> TextColumns:
    """Find the columns among `columns`, whose values may be a sample; what is stated must be there.

    Without a word, the text is the column of a usual name, or else the one with the longest texts; the id is a column
    of a usual name (or one that ends in _id) whose values are all there and, where `unique` asks for it, all different;
    the labels are all others. `labels` of one empty name are none. Raises BadInput for a column that is not there, and
    for a table without texts.
    """
    asked = [name for name in labels or () if name]
    for each in filter(None, (text, id, *asked)):
        if each not in columns:
            raise BadInput(f"{name} has no column {each!r}; it has: {', '.join(columns) or 'none'}")
    found = text or _text_among({key: values for key, values in columns.items() if key != id}, name)
    chosen, why = (id, "") if id else _id_among(columns, found, unique, asked)
    if labels is None:
        asked = [each for each in columns if each not in (found, chosen, INDEX)]
    return TextColumns(found, chosen, tuple(dict.fromkeys(asked)), why)


def group_names(columns: Mapping[str, Sequence[Any]], rows: int, stem: str) -> list[str]:
    """The documents or persons that texts come from: a column `group`, or else each row is one of its own."""
    if _GROUP not in columns:
        return [f"{stem}:{row}" for row in range(rows)]
    return [f"{stem}:{row}" if value is None else str(value) for row, value in enumerate(columns[_GROUP])]


def _text_among(columns: Mapping[str, Sequence[Any]], name: str) -> str:
    lowered = {each.lower(): each for each in reversed(list(columns))}
    for usual in TEXT_NAMES:  # what is no text in it is refused by its row
        if usual in lowered and any(isinstance(value, str) for value in columns[lowered[usual]]):
            return lowered[usual]
    lengths = {}
    for each, values in columns.items():
        there = [value for value in values if value is not None]
        if there and all(isinstance(value, str) for value in there) and each.lower() not in ID_NAMES:
            lengths[each] = sum(map(len, there)) / len(there)
    lengths = {each: length for each, length in lengths.items() if isinstance(_first(typed(columns[each])), str)}
    if not lengths:
        raise BadInput(f"{name} has no column of texts; it has: {', '.join(columns) or 'none'}; name one with --text")
    return max(lengths, key=lambda each: lengths[each])


def _first(values: Sequence[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _id_among(columns: Mapping[str, Sequence[Any]], text: str, unique: bool, labels: Sequence[str]) -> tuple[str, str]:
    lowered = {each.lower(): each for each in reversed(list(columns))}
    usual = [lowered[each] for each in ID_NAMES if each in lowered]
    usual += [each for each in columns if each.lower().endswith(("_id", "-id", ".id")) and each not in usual]
    why = ""
    for each in usual:
        if each == text or each in labels:
            continue
        texts = [_id_or_none(value) for value in columns[each]]
        if not all(texts):
            why = why or f" ({each!r} has gaps)"
        elif unique and len(set(texts)) < len(texts):
            why = why or f" ({each!r} repeats itself)"
        else:
            return each, ""
    return "", why


def _id_or_none(value: Any) -> str | None:
    try:
        return id_text(value)
    except BadInput:
        return None
