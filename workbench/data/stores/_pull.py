"""A whole store into one Parquet file, page by page, so that a pull that was killed goes on."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.parquet as pq

from workbench.core import codec
from workbench.core.bad_rows import BadRows, OnBadRows
from workbench.core.errors import BadInput
from workbench.core.files import read_json, write_json
from workbench.core.progress import progress
from workbench.core.tables import whole_parquet
from workbench.data.stores import open_store
from workbench.data.stores._join import join
from workbench.data.stores._store import Cursor, Store, StoreFacts

_LOG = logging.getLogger(__name__)
_STATE = "state.json"


@dataclass(frozen=True)
class Pulled:
    """What a pull did: rows in the file, of which `resumed` were there from an earlier call."""

    facts: StoreFacts
    rows: int
    resumed: int
    seconds: float
    normalised: bool
    skipped: BadRows


@dataclass(frozen=True)
class _Begun:
    """A pull on its way: how many parts lie in the folder and where the last one ends."""

    parts: int = 0
    cursor: Cursor | None = None

    @property
    def rows(self) -> int:
        return self.cursor.kept if self.cursor else 0


@dataclass(frozen=True)
class _State:
    """What is written down between two pages."""

    line: str
    parts: int
    cursor: Cursor | None


def pull(line: str, out: Path, batch: int = 1000, limit: int = 0, on_bad_rows: OnBadRows = "fail") -> Pulled:
    """Write the store that `line` names to the Parquet file `out`, as `EmbeddingSet.load` reads it.

    Pages are kept beside `out` as they come, and are joined at the end, a row group each; memory holds one page, and
    eight bytes a row. The same call after a kill goes on behind the last page, or begins again where the store's own
    order has changed. Raises BadInput for an id that comes twice, and for rows that no EmbeddingSet can hold, unless
    `on_bad_rows` is `skip`: then they are counted and named in the file's provenance.
    """
    began = time.monotonic()
    if limit < 0:
        raise BadInput(f"limit is {limit}; expected 0 (all rows) or more")
    if out.is_dir():
        raise BadInput(f"cannot write {out}: it is a folder, expected a file name")
    store = open_store(line)
    store.on_bad_rows = on_bad_rows
    facts = store.facts()
    store.limit = min(filter(None, (limit, store.limit)), default=0)
    folder = out.with_name(f".{out.name}.parts")
    begun = _begun(folder, line, store, facts)
    resumed = begun.rows
    total = min(facts.count, store.limit) if store.limit else facts.count
    with progress("pull", total, "vectors") as advance:
        advance(min(begun.rows, total))
        for read in store.scroll(batch, begun.cursor, facts):
            read.save(_part(folder, begun.parts))
            begun = _Begun(begun.parts + 1, store.cursor)
            write_json(folder / _STATE, {"line": line, **asdict(begun)})
            advance(len(read))
    skipped = facts.missing + store.cursor.skipped
    if not begun.parts:
        raise BadInput("; ".join((f"{store.name} gave no rows", *skipped.notes())))
    parts = [_part(folder, number) for number in range(begun.parts)]
    try:
        joined = join(parts, out, store.limit, store.name, skipped.notes())
    except BadInput:  # an id that comes twice; reading on would not mend it
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)
    seconds = time.monotonic() - began
    return Pulled(facts, joined.rows, min(resumed, joined.rows), seconds, joined.normalised, skipped)


def _begun(folder: Path, line: str, store: Store, facts: StoreFacts) -> _Begun:
    """What an earlier call left, if it read the same line and its order still holds; else an empty folder."""
    if (folder / _STATE).is_file():
        try:
            held = codec.decode(_State, read_json(folder / _STATE), "state")
            begun = _Begun(held.parts, held.cursor)
            _require_parts(folder, begun)
            strict = store.on_bad_rows == "fail" and begun.cursor and len(begun.cursor.skipped)
            if held.line == line and begun.cursor and not strict and store.can_go_on(facts, begun.cursor):
                return begun
            _LOG.warning("%s holds rows of another store or state; the pull begins again", folder)
        except BadInput as error:
            _LOG.warning("%s; the pull begins again", error)
    shutil.rmtree(folder, ignore_errors=True)
    return _Begun()


def _require_parts(folder: Path, begun: _Begun) -> None:
    """Raise BadInput unless all parts are there, whole at their ends, and hold the rows that the cursor counts."""
    rows = 0
    for number in range(begun.parts):
        with whole_parquet(_part(folder, number)):
            rows += pq.read_metadata(_part(folder, number)).num_rows
    if rows != begun.rows:
        raise BadInput(f"{folder} holds {rows:,} rows; its state counts {begun.rows:,}")


def _part(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.parquet"
