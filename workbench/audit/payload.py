"""Payload: what a stolen store says before anything is inverted.

Ids that hold moments or are hashes of their texts, labels with free text and personal data, rows that are one, and rows
that another dump has too. It is the first thing that a thief looks at, and often all that is needed.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.audit._columns import Read, inside, is_free_text, read_column, times
from workbench.audit._identifiers import hashed_from
from workbench.audit._linkage import duplicates, link
from workbench.audit._patterns import (
    BIRTH,
    DATE,
    KINDS,
    canonical,
    is_birth,
    is_telephone,
    mask,
    personal_data,
)
from workbench.core.access import STOLEN_STORE, Access, ThreatModel
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate, proportion
from workbench.core.progress import progress
from workbench.results.payload import Pattern, Payload

NEEDS = Access.SAMPLES
"""Vectors, and what lies beside them."""
NEAR = 0.98
"""Cosine of near duplicates."""
_NUMBERS = ("number", "sequential")
"""Kinds of columns whose bare digits are no telephone numbers, unless the column's name says so."""


def payload(
    store: SetLike,
    against: EmbeddingSet | None = None,
    near: float = NEAR,
    threat: ThreatModel = STOLEN_STORE,
    seed: int = 0,
) -> Payload:
    """What ids, labels, texts and equal vectors of a store say, and which of its rows the dump `against` has too.

    Unlike an inverter it reads texts and labels: they are the payload. Values are shown masked. Near duplicates have a
    cosine of at least `near`; of more than 20,000 rows, so many are drawn for them and for links. Dates are counted as
    a kind of their own, which is personal data only where they are of a birth. Columns that the reader of the store
    left out are named. Raises BadInput where `near` is no cosine above 0, and AccessDenied where the threat model does
    not grant NEEDS.
    """
    store = EmbeddingSet.of(store)
    threat.admit("payload", NEEDS)
    if not 0 < near <= 1:
        raise BadInput(f"near is {near}; expected a cosine above 0, at most 1")
    began, n = time.monotonic(), len(store)
    reads = [read_column("id", store.ids), *(_label(name, store.labels[name]) for name in store.labels)]
    texts = None if store.texts is None else read_column("text", store.texts)
    labels = reads[1:]
    reads[0] = _explained(reads[0], [*([texts] if texts else ()), *labels])
    shown = [*reads, *([texts] if texts else ())]
    found = _Found.of(shown, n)
    written = np.zeros(n, bool)
    for read in labels:
        written |= np.array([is_free_text(value) for value in read.values])
    return Payload(
        n=n,
        dim=store.dim,
        columns=tuple(read.column for read in shown),
        times=tuple(times(read.column.name, read.moments) for read in shown if read.moments),
        free_text=proportion(int(written.sum()), n),
        texts=texts is not None,
        personal=found.patterns,
        any_personal=found.rows,
        singled_out=_singled_out(labels, n),
        duplicates=duplicates(store.vectors, near, seed),
        unread=store.provenance.unread,
        lost=store.provenance.lost,
        linkage=None if against is None else link(store, against, seed),
        seconds=time.monotonic() - began,
    )


def _label(name: str, raw: np.ndarray) -> Read:
    """A label; where the store's own ids or texts have its name, it says that it is a label."""
    read = read_column(name, raw)
    return replace(read, column=replace(read.column, name=f"{name} (label)")) if name in ("id", "text") else read


def _explained(ids: Read, others: Sequence[Read]) -> Read:
    """The ids, with the way in which they follow from a column of text, if they do."""
    for read in others:
        if read.column.name == "text" or read.column.kind == "free text":
            way = hashed_from([value or "" for value in ids.values], [value or "" for value in read.values])
            if way:
                note = f"{way} ({read.column.name}): whoever guesses it can confirm it without an embedder"
                return replace(ids, column=replace(ids.column, kind="hash", note=note))
    return ids


@dataclass(frozen=True)
class _Found:
    """Personal data by column and kind, and the share of rows that have any."""

    patterns: tuple[Pattern, ...]
    rows: Estimate

    @classmethod
    def of(cls, reads: Sequence[Read], n: int) -> _Found:
        rows: Counter[tuple[str, str]] = Counter()
        values: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        hit = np.zeros(n, bool)
        with progress("personal data", n * len(reads), "values") as advance:
            for read in reads:
                for row, value in enumerate(read.values):
                    found = _personal(read, value) if value else set()
                    for kind in {kind for kind, _ in found}:
                        rows[read.column.name, kind] += 1
                        hit[row] |= kind != DATE
                    for kind, each in found:
                        values[read.column.name, kind].setdefault(canonical(kind, each), each)
                advance(n)
        patterns = (
            Pattern(name, kind, proportion(count, n), len(values[name, kind]), mask(min(values[name, kind].values())))
            for (name, kind), count in rows.items()
        )
        order = {kind: place for place, kind in enumerate(KINDS)}
        return cls(tuple(sorted(patterns, key=lambda p: (p.column, order[p.kind]))), proportion(int(hit.sum()), n))


def _personal(read: Read, value: str) -> set[tuple[str, str]]:
    """Kinds and values in one value of a column; the moments of a column are dates of birth if its name says so."""
    name = read.column.name
    if read.moments:
        return {(BIRTH, value)} if is_birth(name) else set()
    found = set(personal_data(inside(value), name))
    if read.column.kind in _NUMBERS and not is_telephone(name):
        found = {(kind, each) for kind, each in found if kind != "phone" or not each.isdigit()}
    return found


def _singled_out(labels: Sequence[Read], n: int) -> Estimate | None:
    """Share of rows whose categories together no other row has."""
    columns = [read.values for read in labels if read.column.kind == "category"]
    if len(columns) < 2:
        return None
    return proportion(sum(count == 1 for count in Counter(zip(*columns, strict=True)).values()), n)
