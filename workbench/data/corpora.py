"""Corpora: clean, deduplicated sentences with fixed train, validation and test splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Shaped

from workbench import assets
from workbench.core.embedding_set import whole_parquet
from workbench.core.errors import BadInput, MissingExtra, UnknownName, first_line, require
from workbench.core.registry import Registry
from workbench.core.text import SPLITS, content_key, split_of_key
from workbench.data._cached import made_once
from workbench.data._clean import sentences
from workbench.data.readers._passage import Passage

READERS = Registry("reader", "workbench.data.readers")
_RECIPE = 1
"""Number of the cleaning recipe; a change makes the cached corpora anew."""


@dataclass(frozen=True)
class Corpus:
    """Texts with ids and the groups (documents, persons) that they come from.

    A named corpus stands in the order of its content hashes: shuffled, but the same everywhere, so that its first n
    texts are a fixed random sample.
    """

    name: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def head(self, n: int) -> Corpus:
        """The first `n` texts."""
        return Corpus(self.name, self.ids[:n], self.texts[:n], self.groups[:n])

    def where(self, keep: Shaped[np.ndarray, " k"]) -> Corpus:
        """The texts that a boolean mask or an index array picks."""
        rows = np.flatnonzero(keep) if keep.dtype == bool else keep
        picked = (tuple(column[row] for row in rows) for column in (self.ids, self.texts, self.groups))
        return Corpus(self.name, *picked)


def names() -> tuple[str, ...]:
    """Names of the corpora that have cards."""
    return tuple(name for name, card in assets.cards().items() if card.kind == "corpus")


def load(name: str, split: str | None = None, limit: int | None = None) -> Corpus:
    """A named corpus, fetched and cleaned on first use. Raises UnknownName, FetchError.

    `split` picks by content hash, so a text is in the same split in every corpus. `limit` keeps the first texts.
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
    return Corpus(name, *(tuple(table[column].to_pylist()) for column in ("id", "text", "group")))


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


def read(source: str | Path, column: str = "text") -> Corpus:
    """The user's own texts as they are: .txt (a text a line), .jsonl, .csv, .tsv, .parquet, or `hf:NAME[:SPLIT]`.

    Nothing is cleaned or dropped but blank lines; ids are `0`, `1`, ... in file order.
    """
    texts, groups = [], []
    for passage in _read_user(str(source), column):
        texts.append(passage.text)
        groups.append(passage.group)
    if not texts:
        raise BadInput(f"{source} holds no text")
    ids = tuple(str(number) for number in range(len(texts)))
    return Corpus(Path(str(source)).name, ids, tuple(texts), tuple(groups))


def _read_user(source: str, column: str) -> Iterable[Passage]:
    if source.startswith("hf:"):
        return _read_hub(source, column)
    path = Path(source)
    if not path.is_file():
        raise BadInput(f"{source} is {'a folder' if path.is_dir() else 'not there'}; expected a file of texts")
    match path.suffix.lower():
        case ".txt" | "":
            return READERS.load("plain")([path])
        case ".jsonl" | ".ndjson":
            return READERS.load("jsonl")([path], field=column)
        case ".csv":
            return READERS.load("delimited")([path], column=column)
        case ".tsv":
            return READERS.load("delimited")([path], column=column, delimiter="\t")
        case ".parquet":
            return _read_parquet(path, column)
        case suffix:
            raise BadInput(f"{source} ends in {suffix!r}; expected .txt, .jsonl, .csv, .tsv or .parquet")


def _read_parquet(path: Path, column: str) -> Iterator[Passage]:
    with whole_parquet(path):
        with pq.ParquetFile(path) as file:
            table = file.read()
        if column not in table.column_names:
            raise BadInput(f"{path} has no column {column!r}; it has: {', '.join(table.column_names)}")
        groups = table["group"].to_pylist() if "group" in table.column_names else None
        texts = table[column].to_pylist()
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise BadInput(f"{path} row {number} of {column!r} is {text!r}; expected text")
        yield Passage(text, str(groups[number]) if groups else f"{path.stem}:{number}")


def _read_hub(source: str, column: str) -> Iterator[Passage]:
    try:
        import datasets  # pyright: ignore[reportMissingImports]  # the extra `hub`
    except ImportError as error:
        raise MissingExtra("datasets", "hub") from error
    _, name, *rest = source.split(":")
    if not name:
        raise BadInput(f"{source!r} names no data set; expected hf:NAME or hf:NAME:SPLIT")
    try:
        rows = datasets.load_dataset(name, split=rest[0] if rest else "train", streaming=True)
        for number, row in enumerate(rows):
            if column not in row:
                raise BadInput(f"{source} has no column {column!r}; it has: {', '.join(row)}")
            if not isinstance(row[column], str):
                raise BadInput(f"{source} row {number} of {column!r} is {row[column]!r}; expected text")
            yield Passage(row[column], f"{name}:{number}")
    except BadInput:
        raise
    except Exception as error:  # a library that raises whatever the hub, the network and its own readers raise
        raise BadInput(f"cannot read {source}: {type(error).__name__}: {first_line(error)}") from error


def _table(name: str) -> pa.Table:
    card = assets.card(name)
    if card.mix:
        return _union(name, card.mix)
    place = f"corpora/{name}-{card.digest}-{_RECIPE}.parquet"
    return made_once(place, lambda: _deduplicate(name, sentences(passages(name))))


def _deduplicate(name: str, rows: Iterable[Passage]) -> pa.Table:
    first: dict[int, Passage] = {}
    for passage in rows:
        first.setdefault(content_key(passage.text), passage)
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
