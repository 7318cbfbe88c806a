"""Which columns of a table are id, vector, text and labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from workbench.core.errors import BadInput

Role = Literal["vector", "plain", "other"]
"""What a column can be: a vector; an id, text or label; or nothing that can be read here (bytes, search indices)."""

_WHY = {"vector": "further vectors", "other": "bytes, or another form than one value a row"}


INDEX = "__index_level_0__"
"""What Arrow calls the index of a DataFrame that has no name."""
IDS = ("id", "_id", "ids", "uuid", INDEX)
"""Columns that are taken for the id where none is named, the first that is there."""


@dataclass(frozen=True)
class Columns:
    """The names that were found; `id` and `text` are "" where the table has none. `unread` says why of each name."""

    id: str
    vector: str
    text: str
    labels: tuple[str, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """The names that the line states, "" where it states none."""

    id: str = ""
    vector: str = ""
    text: str = ""

    def among(self, name: str, roles: Mapping[str, Role], ids: Collection[str] = IDS) -> Columns:
        """Find the columns of a table called `name`.

        Without a word from the line, the id is the first of `ids`, the text is `text`, and the vector is `vector`,
        `embedding`, or the only column of vectors. Raises BadInput for a column that is not there.
        """
        for what, column in {"id": self.id, "vector": self.vector, "text": self.text}.items():
            if column and column not in roles:
                raise BadInput(f"{name} has no column {column!r} ({what}); it has: {', '.join(roles)}")
        vector = self.vector or _only_vector(name, roles)
        if roles[vector] != "vector":
            raise BadInput(f"{name}: the column {vector!r} holds no vectors; name one with ?vector=COLUMN")
        id = self.id or next((each for each in ids if roles.get(each) == "plain"), "")
        text = self.text or ("text" if roles.get("text") == "plain" else "")
        others = {each: role for each, role in roles.items() if each not in (id, text, vector, INDEX)}
        labels = (each for each, role in others.items() if role == "plain")
        unread = (f"{each} ({_WHY[role]})" for each, role in others.items() if role != "plain")
        return Columns(id, vector, text, tuple(labels), tuple(unread))


def _only_vector(name: str, roles: Mapping[str, Role]) -> str:
    found = [column for column, role in roles.items() if role == "vector"]
    for usual in ("vector", "embedding"):
        if usual in found:
            return usual
    if len(found) == 1:
        return found[0]
    seen = (
        f"the columns of vectors {', '.join(found)}" if found else f"no column of vectors; it has: {', '.join(roles)}"
    )
    raise BadInput(f"{name} has {seen}; name one with ?vector=COLUMN")


def only_one(what: str, asked: str, there: Collection[str], name: str) -> str:
    """The table or collection that was asked for, or the only one. Raises BadInput otherwise."""
    known = ", ".join(sorted(there)) or "none"
    if asked and asked not in there:
        raise BadInput(f"{name} has no {what} {asked!r}; it has: {known}")
    if not asked and len(there) != 1:
        raise BadInput(f"{name} holds {len(there)} {what}s; name one with ?{what}=NAME; it has: {known}")
    return asked or next(iter(there))


def roles(schema: pa.Schema) -> dict[str, Role]:
    """What each column can be. Raises BadInput for a name that two columns have."""
    for name in schema.names:
        if schema.names.count(name) > 1:
            raise BadInput(f"the table has {schema.names.count(name)} columns called {name!r}; rename them")
    return {field.name: _role(field.type) for field in schema}


def _role(kind: pa.DataType) -> Role:
    if is_list(kind) and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        return "vector"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "other"
    return "plain"


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
