"""What every store of vectors can do: say what it holds, scroll through it, read it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import numpy as np

from workbench.core.bad_rows import FIX, BadRows, OnBadRows, require_policy, screen, vector_faults
from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput
from workbench.data.stores._gathered import Gathered
from workbench.data.stores._page import Page, texts_of


@dataclass(frozen=True)
class Cursor:
    """Where a reading stands: the id of the last row, how many rows were given, and of which state of the store."""

    id: str
    row: int
    snapshot: str = ""
    skipped: BadRows = field(default_factory=BadRows)
    """Bad rows among those, which are in no set."""

    @property
    def kept(self) -> int:
        """Rows that sets were given of."""
        return self.row - len(self.skipped)


@dataclass(frozen=True)
class StoreFacts:
    """What a store says of itself.

    `metric` is what its index ranks by ("" where it has none), `lost` what its vectors no longer hold (norms, digits),
    `snapshot` names its state, where a reading goes by places instead of ids and would break if the state changed.
    """

    kind: str
    where: str
    count: int
    dim: int
    metric: str = ""
    lost: tuple[str, ...] = ()
    text: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    snapshot: str = ""
    origin: Provenance = field(default_factory=Provenance)
    """What is known of the vectors' making; only files of our own know it."""
    missing: BadRows = field(default_factory=BadRows)
    """Rows without a vector that the store itself leaves out, and does not count."""
    unread: tuple[str, ...] = ()
    """Columns that are not read, by name, and why."""


class Store(ABC):
    """A place where vectors lie, opened by `open_store`; nothing in it is ever changed.

    A member's parameters are the options of its line; `where` is what stands behind the colon.
    """

    suffixes: tuple[str, ...] = ()
    """File endings by which a bare path is known to be of this kind."""
    on_bad_rows: OnBadRows = "fail"
    """What happens to rows whose vector is missing, of another length, all zeros, or holds NaN or infinity."""

    def __init__(self, kind: str, where: str, limit: int) -> None:
        if limit < 0:
            raise BadInput(f"limit is {limit}; expected 0 (all rows) or more")
        self.kind, self.where, self.limit = kind, where, limit
        self._at = Cursor("", 0)

    @property
    def name(self) -> str:
        """Kind and place, as they stand in errors and provenance; never a password."""
        return f"{self.kind}:{self.where}"

    @abstractmethod
    def facts(self) -> StoreFacts:
        """Look, and read no more than a row. Raises BadInput where there is nothing to read, or no such column."""

    @abstractmethod
    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        """Pages of at most `batch` rows behind `after`, in the one order that the store always has."""

    def can_go_on(self, facts: StoreFacts, after: Cursor) -> bool:
        """Whether a reading that ended at `after` can be continued; not where places have changed meanwhile."""
        return facts.snapshot == after.snapshot

    @final
    def scroll(
        self, batch: int = 1000, after: Cursor | None = None, facts: StoreFacts | None = None
    ) -> Iterator[EmbeddingSet]:
        """The rows behind `after` (None: from the first) as sets of at most `batch`; holds one of them in memory.

        Servers are read by id: what others add meanwhile neither doubles nor loses a row, and a connection that
        drops is made anew behind the last id. Files are read in their own order, as they were when opened. Metadata
        become labels. `facts`, where they were asked for already, tell which state is read. Raises BadInput for a row
        that no EmbeddingSet can hold, unless `on_bad_rows` is `skip` (then `cursor` counts it), FetchError for a server
        that is gone.
        """
        require_policy(self.on_bad_rows)
        if batch < 1:
            raise BadInput(f"batch is {batch}; expected at least 1")
        facts = facts or self.facts()
        if after is not None and not self.can_go_on(facts, after):
            raise BadInput(f"{self.name} has changed since row {after.row:,} was read; begin again")
        if len(facts.missing) and self.on_bad_rows == "fail":
            raise BadInput(f"{self.name}: {facts.missing.sentence()}; {FIX}")
        self._at = after or Cursor("", 0, facts.snapshot)
        for page in self._named(self._pages(facts, batch, after)):
            room = self.limit - self._at.row if self.limit else len(page)
            if room <= 0:
                return
            page = page.rows(0, room)  # noqa: PLW2901
            found, skipped = self._set(page, facts, self._at.row)
            row = self._at.row + len(page)
            self._at = Cursor(page.ids[-1], row, self._at.snapshot, self._at.skipped + skipped)
            if found is not None:
                yield found
            if row == self.limit:
                return

    @property
    def cursor(self) -> Cursor:
        """Where the reading stands after the set that `scroll` gave last."""
        return self._at

    @final
    def read(self, limit: int = 0, batch: int = 1000) -> EmbeddingSet:
        """All rows, or the first `limit`, in one set. Raises BadInput for an id that comes twice."""
        facts, gathered = self.facts(), None
        for part in self.scroll(batch, facts=facts):
            gathered = gathered or Gathered(part, min(limit, facts.count) if limit else facts.count)
            gathered.add(part)
            if limit and gathered.rows >= limit:
                break
        if gathered is None:
            raise BadInput("; ".join((f"{self.name} gave no rows", *self.cursor.skipped.notes())))
        return gathered.whole(self.name, limit, (facts.missing + self.cursor.skipped).notes())

    def _named(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The same pages; an error that tells of a row alone also tells of which store."""
        try:
            yield from pages
        except BadInput as error:
            raise error if self.where in str(error) else BadInput(f"{self.name}: {error}") from error

    def _set(self, page: Page, facts: StoreFacts, given: int) -> tuple[EmbeddingSet | None, BadRows]:
        """The good rows of a page, None where it has none, and the others."""
        texts = None if page.texts is None else texts_of(page.texts)
        try:
            keep, skipped = screen({**vector_faults(page.vectors), **page.faults}, page.ids, self.on_bad_rows)
            if not keep.any():
                return None, skipped
            return EmbeddingSet(
                ids=np.array(page.ids, dtype=object)[keep],
                vectors=page.vectors[keep] if len(skipped) else page.vectors,
                texts=None if texts is None else np.array(texts, dtype=object)[keep],
                labels={name: column[keep] for name, column in page.labels.items()},
                provenance=replace(
                    facts.origin,
                    versions={**facts.origin.versions, **facts.versions},
                    notes=(*facts.origin.notes, f"read from {facts.kind}:{facts.where}", *facts.lost),
                    unread=(*facts.origin.unread, *facts.unread),
                ),
            ), skipped
        except BadInput as error:
            raise BadInput(f"{self.name}, in the page after row {given:,}: {error}") from error


def resumed(pages: Iterator[Page], after: Cursor | None, name: str) -> Iterator[Page]:
    """Pages of a store that is read by place, which begin with the row of `after`: it is checked and left out."""
    for number, page in enumerate(pages):
        if number or after is None:
            yield page
        elif page.ids[0] != after.id:
            raise BadInput(f"{name} has changed: row {after.row:,} was {after.id!r}, now it is {page.ids[0]!r}")
        elif len(page) > 1:
            yield page.rows(1)


def state_of(path: Path) -> str:
    """A name for the state of a file: another one after it was written."""
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def stored_as(dtype: np.dtype) -> tuple[str, ...]:
    """What numbers of this type have lost, as notes: those that are coarser than float32 are quantised."""
    if dtype.kind in "iub":
        return (f"vectors are stored as {dtype.name}: quantised, and their scale is not stated",)
    if dtype.itemsize < 4:
        return (f"vectors are stored as {dtype.name}: quantised to {8 * dtype.itemsize} bits a number",)
    return ("vectors are stored as float64 and read as float32",) if dtype.itemsize > 4 else ()
