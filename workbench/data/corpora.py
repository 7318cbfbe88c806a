"""Corpora: clean, deduplicated sentences with fixed train, validation and test splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Shaped

from workbench import assets
from workbench.core.bad_rows import BadRows, OnBadRows
from workbench.core.errors import BadInput, UnknownName, require
from workbench.core.registry import Registry
from workbench.core.text import SPLITS, split_key, split_of_key
from workbench.data._cached import made_once
from workbench.data._clean import sentences
from workbench.data._own_texts import Wishes, read_own_texts
from workbench.data.readers._passage import Passage
from workbench.data.stores._page import column as label_column

READERS = Registry("reader", "workbench.data.readers")
_RECIPE = 1
"""Number of the cleaning recipe; a change makes the cached corpora anew."""


@dataclass(frozen=True)
class Corpus:
    """Texts with ids and the groups (documents, persons) that they come from.

    A named corpus stands in the order of its `split_key`: shuffled, but the same everywhere, so that its first n texts
    are a fixed random sample. Of texts that differ in signs, marks and punctuation alone it holds the first.
    """

    name: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    groups: tuple[str, ...]
    labels: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """What a file of the user's own holds beside the texts, by column."""
    found: str = ""
    """Which of its columns were taken for what, in words."""
    skipped: BadRows = field(default_factory=BadRows)
    """Rows of the file that hold no text."""

    def __len__(self) -> int:
        return len(self.ids)

    def head(self, n: int) -> Corpus:
        """The first `n` texts."""
        return self.where(np.arange(min(n, len(self))))

    def where(self, keep: Shaped[np.ndarray, " k"]) -> Corpus:
        """The texts that a boolean mask or an index array picks."""
        rows = np.flatnonzero(keep) if keep.dtype == bool else keep
        ids, texts, groups = (tuple(column[row] for row in rows) for column in (self.ids, self.texts, self.groups))
        labels = {name: tuple(column[row] for row in rows) for name, column in self.labels.items()}
        return replace(self, ids=ids, texts=texts, groups=groups, labels=labels)

    def label_arrays(self) -> dict[str, Shaped[np.ndarray, " n"]]:
        """The labels as an EmbeddingSet takes them."""
        return {name: label_column(column) for name, column in self.labels.items()}


def names() -> tuple[str, ...]:
    """Names of the corpora that have cards."""
    return tuple(name for name, card in assets.cards().items() if card.kind == "corpus")


def load(name: str, split: str | None = None, limit: int | None = None) -> Corpus:
    """A named corpus, fetched and cleaned on first use. Raises UnknownName, FetchError.

    `split` picks by `split_key`, so a text is in the same split in every corpus. `limit` keeps the first texts.
    """
    require(name, str, "the corpus")
    if split is not None and split not in SPLITS:
        raise BadInput(f"split is {split!r}; expected one of {', '.join(SPLITS)}")
    if limit is not None:
        require(limit, (int, np.integer), "limit")
    if limit is not None and limit < 1:
        raise BadInput(f"limit is {limit}; expected at least 1")
    if name not in names():
        raise UnknownName("corpus", name, names())
    if name == "personal":  # made by rule, split by template: the one corpus that is not cut from files
        from workbench.data import personal

        return personal.load(split or "test", limit or 1000).corpus
    table = _table(name)
    if split:
        table = table.filter(pc.field("split") == split)
    if limit:
        table = table.slice(0, limit)
    ids, texts, groups = (tuple(table[column].to_pylist()) for column in ("id", "text", "group"))
    return Corpus(name, ids, texts, groups)


def digest(name: str) -> str:
    """Hex digits for all that decides the texts of a named corpus: its files or its members, its reader, the recipe."""
    card = assets.card(name)
    members = " ".join(map(digest, card.mix))
    parts = f"{card.digest} {card.reader} {sorted(card.options.items())} {members} {_RECIPE}"
    return hashlib.blake2b(parts.encode(), digest_size=4).hexdigest()


def passages(name: str) -> Iterable[Passage]:
    """The raw passages of a corpus that has files, as its reader gives them, before any cleaning."""
    card = assets.card(name)
    if not card.sources:
        raise BadInput(f"{name} has no files of its own")
    folder = assets.fetch(name)
    found = {path for source in card.sources for pattern in source.members for path in folder.glob(pattern)}
    return READERS.load(card.reader)(sorted(found), **card.options)


def read(
    source: Any,
    column: str = "",
    *,
    id: str = "",
    labels: Sequence[str] | None = None,
    on_bad_rows: OnBadRows = "fail",
    encoding: str = "",
) -> Corpus:
    """The user's own texts as they are, with what stands beside them.

    Args:
        source: A file: .txt (a text a line; blank lines are passed over), .csv, .tsv, .jsonl, .json, .parquet or
            .arrow; a folder of `datasets.save_to_disk`; `hf:NAME[:SPLIT]`; or a DataFrame of pandas or polars, an Arrow
            table, or a `datasets.Dataset`.
        column: The text. By default a column called text, sentence, content, ..., or else the one of longest texts.
        id: The id. By default a column called id, _id, uuid, key, ... whose values are all different, or else the
            row's number, from 0.
        labels: Columns that become labels; by default all others, `[""]` none. Fields within objects of JSON are
            called `outer.inner`.
        on_bad_rows: What happens to rows whose text is missing or blank: `fail` refuses the source, `skip` leaves them
            out, and `Corpus.skipped` counts them.
        encoding: Of text files. By default as a byte-order mark says, else UTF-8 or UTF-16 where the bytes are that,
            else Windows-1252, which `Corpus.found` then says.

    Raises:
        BadInput: For a file that is not there or not of its form, a column that is not there, bad rows, equal ids.
    """
    own = read_own_texts(source, Wishes(column, id, labels, on_bad_rows, encoding))
    return Corpus(own.name, own.ids, own.texts, own.groups, own.labels, own.found, own.skipped)


def _table(name: str) -> pa.Table:
    card = assets.card(name)
    if card.mix:
        return _union(name, card.mix)
    place = f"corpora/{name}-{card.digest}-{_RECIPE}.parquet"
    return made_once(place, lambda: _deduplicate(name, sentences(passages(name))))


def _deduplicate(name: str, rows: Iterable[Passage]) -> pa.Table:
    first: dict[int, Passage] = {}
    for passage in rows:
        first.setdefault(split_key(passage.text), passage)
    keys = sorted(first)
    return pa.table(
        {
            "id": pa.array([f"{name}:{key:016x}" for key in keys]),
            "text": pa.array([first[key].text for key in keys]),
            "group": pa.array([f"{name}:{first[key].group}" for key in keys]),
            "split": pa.array([split_of_key(key) for key in keys]),
        }
    )


@lru_cache(maxsize=2)
def _union(name: str, members: tuple[str, ...]) -> pa.Table:
    """All members in one, the first one wins a duplicate, in the order of content hashes."""
    table = pa.concat_tables([_table(member) for member in members])
    keys = np.array([int(id[-16:], 16) for id in table["id"].to_pylist()], dtype=np.uint64)
    _, first = np.unique(keys, return_index=True)
    return table.take(first)
