"""The plan of a bulk run: which rows of which file are which part. Equal inputs give equal plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.core.columns import roles
from workbench.core.embedding_set import Provenance
from workbench.core.errors import BadInput
from workbench.core.files import read_json
from workbench.data._text_columns import text_columns
from workbench.data.stores._lance import LANCE
from workbench.jobs.bulk._lance import count_of, digest_of, first_rows, schema_at, size_of, whole_input

MANIFEST = "manifest.json"
_SAMPLE = 200
"""Rows by which columns are recognised."""


@dataclass(frozen=True)
class Shard:
    """One input file or Lance dataset. Where `problem` says why it cannot be read it has no rows, and the run goes on
    without it."""

    name: str
    size: int
    sha256: str
    rows: int
    problem: str = ""


@dataclass(frozen=True)
class Part:
    """Rows `start` to `stop` of one file; `first` is the number of the first of them among all rows of the input."""

    number: int
    shard: str
    start: int
    stop: int
    first: int

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start

    @property
    def file(self) -> str:
        """Name of what is written of it."""
        return f"part-{self.number:05d}.parquet"


def folder_of(source: Path) -> Path:
    """The folder in which the shards of an input lie."""
    return source if source.is_dir() and source.suffix != LANCE else source.parent


def read_shards(source: Path) -> tuple[Shard, ...]:
    """The Parquet files of a folder in the order of their names, one file, or one Lance dataset; each is read once for
    its digest.

    Raises BadInput where there is none, where none can be read, or where the folder holds a bulk run that is not done.
    """
    _refuse_unfinished(source / MANIFEST)
    shards = tuple(map(_shard, _files(source)))
    if all(shard.problem for shard in shards):
        raise BadInput(f"{source}: {shards[0].problem}")
    return shards


def maker_of(source: Path, wanted: str = "") -> str:
    """The embedder that the first readable file names as the maker of its vectors, unless one is `wanted`; "" where
    none is known."""
    for path in () if wanted else _files(source):
        try:
            with whole_input(path.name):
                schema = schema_at(path)
        except BadInput:
            continue
        made = (Provenance.of_schema(schema) or Provenance()).embedder
        return "" if made == Provenance().embedder else made
    return wanted


def columns_of(source: Path, text: str = "", id: str = "", labels: Sequence[str] | None = None) -> dict[str, Any]:
    """Which columns of the first readable file are text, id and labels, as the recipe of `embed` states them; what is
    not stated is found by name among the first rows. See `workbench.data.corpora.read`."""
    for path in _files(source):
        try:
            with whole_input(path.name):
                rows = first_rows(path, _SAMPLE)
        except BadInput:
            continue
        columns = {name: rows[name].to_pylist() for name, role in roles(rows.schema).items() if role == "plain"}
        found = text_columns(columns, path.name, text, id or ("id" if "id" in columns else ""), labels, unique=False)
        text, id, labels = found.text, found.id, found.labels
        break
    stated = {
        "column": text or "text",
        "id": id if id != "id" else "",
        "labels": [name for name in labels or () if name],
    }
    return {key: value for key, value in stated.items() if value}  # a recipe states no defaults


def schema_of(source: Path, shard: Shard) -> pa.Schema:
    """Columns and metadata of a file that can be read."""
    with whole_input(shard.name):
        return schema_at(folder_of(source) / shard.name)


def parts_of(shards: Sequence[Shard], part_rows: int) -> tuple[Part, ...]:
    """Runs of at most `part_rows` rows; none goes over the end of a file. Raises BadInput for less than one row."""
    if part_rows < 1:
        raise BadInput(f"part-rows is {part_rows}; expected 1 or more")
    parts: list[Part] = []
    before = 0
    for shard in shards:
        for start in range(0, shard.rows, part_rows):
            stop = min(start + part_rows, shard.rows)
            parts.append(Part(len(parts), shard.name, start, stop, before + start))
        before += shard.rows
    return tuple(parts)


def _refuse_unfinished(manifest: Path) -> None:
    try:
        found = read_json(manifest) if manifest.is_file() else None
    except BadInput:  # a stranger's file
        return
    if isinstance(found, dict) and {"verb", "sealed"} <= set(found) and not found["sealed"]:
        raise BadInput(f"{manifest.parent} holds a bulk run that is not finished; finish it first")


def _files(source: Path) -> list[Path]:
    if source.is_dir() and source.suffix == LANCE:
        return [source]
    if source.is_dir():
        paths = sorted(path for path in source.glob("*.parquet") if path.is_file() and path.name[0] not in "._")
    else:
        paths = [source] if source.is_file() else []
    if not paths:
        raise BadInput(f"{source} is {'a folder without' if source.is_dir() else 'not there; expected'} Parquet files")
    return paths


def _shard(path: Path) -> Shard:
    rows, problem = 0, ""
    try:
        with whole_input(path.name):
            rows = count_of(path)
    except BadInput as error:
        problem = str(error)
    return Shard(path.name, size_of(path), digest_of(path), rows, problem)
