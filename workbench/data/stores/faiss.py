"""FAISS index (flat, IVF, HNSW, quantised, or of bits); vectors are reconstructed, and lossy ones said to be"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from workbench.core.errors import BadInput
from workbench.data.stores._faiss_decode import Bits, is_searched, is_whitened, lost_of, restored, searched, transforms
from workbench.data.stores._library import need, versions_of
from workbench.data.stores._page import Page
from workbench.data.stores._secrets import said
from workbench.data.stores._store import Cursor, Store, StoreFacts, resumed, state_of

__all__ = ["FaissStore"]

_METRICS = {0: "inner product", 1: "l2", "hamming": "hamming"}
_SQUARE = "d_in * d_out would exceed"
"""What FAISS says of a transform whose dimensions, as a matrix, would need more bytes than its file has; a
normalisation has no matrix, and is refused all the same."""
_MATRIX = 1 << 28
"""Bytes that are allowed then: a square matrix of 8,192 dimensions."""
_INNER = ("index", "storage", "refine_index")
"""Where an index keeps the one that it wraps; of two, the one that holds the vectors more exactly."""


class FaissStore(Store):
    """A file that `faiss.write_index` wrote: ids and vectors, no texts. The index is opened whole, as FAISS does."""

    suffixes = (".faiss", ".index")

    def __init__(self, where: str, limit: int = 0) -> None:
        super().__init__("faiss", where, limit)

    def facts(self) -> StoreFacts:
        """From the index; one vector is reconstructed to see that it can be."""
        opened = self._open()
        return StoreFacts(
            self.kind,
            self.where,
            len(opened.ids),
            opened.chain[0].d,
            metric=_METRICS.get(opened.chain[0].metric_type, f"FAISS metric {opened.chain[0].metric_type}"),
            lost=opened.lost,
            versions=versions_of("faiss-cpu"),
            snapshot=state_of(Path(self.where)),
        )

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        return resumed(self._from(after.row - 1 if after else 0, batch), after, self.name)

    def _from(self, start: int, batch: int) -> Iterator[Page]:
        opened = self._open()
        for first in range(start, len(opened.ids), batch):
            yield opened.page(first, min(batch, len(opened.ids) - first))

    def _open(self) -> _Opened:
        path = Path(self.where)
        if not path.is_file():
            raise BadInput(f"{path} is {'a folder' if path.is_dir() else 'not there'}; expected a FAISS index")
        return _open(self.where, state_of(path))


@dataclass(frozen=True)
class _Opened:
    """An index, outermost first, with the ids of its vectors in the order that they are read."""

    chain: tuple[Any, ...]
    ids: Int[np.ndarray, " n"]
    source: Any
    """What reconstructs the vectors."""
    by_id: bool
    owner: Any
    """The object that FAISS read; those of the chain point into it and do not keep it alive."""
    lost: tuple[str, ...]

    def page(self, first: int, n: int) -> Page:
        ids = self.ids[first : first + n]
        if isinstance(self.owner, Bits):
            return Page([str(id) for id in ids], self.owner.vectors(first, n))
        coded = next((place for place, each in enumerate(self.chain) if is_searched(each)), None)
        if coded is not None:
            faiss = need("faiss")
            inside = ids if self.by_id else np.arange(first, first + n)
            vectors = searched(faiss, self.chain[coded], inside)
            return Page([str(id) for id in ids], restored(faiss, self.chain[:coded], vectors))
        vectors = self.source.reconstruct_batch(ids) if self.by_id else self.source.reconstruct_n(first, n)
        return Page([str(id) for id in ids], np.asarray(vectors, np.float32))


@lru_cache(maxsize=1)
def _open(where: str, state: str) -> _Opened:
    faiss = need("faiss")
    path = Path(where)
    with open(path, "rb") as file:
        binary = file.read(2) == b"IB"
    try:
        if binary:
            with _bounded(faiss, path.stat().st_size):
                bits = Bits(faiss, faiss.read_index_binary(where))
            return _Opened((bits,), bits.ids, bits, False, bits, bits.lost)
        owner = _read(faiss, where, path.stat().st_size)
    except (RuntimeError, MemoryError) as error:
        reason = said(error).rpartition(": ")[2]
        kind = "of bits" if binary else "of floating-point vectors"
        raise BadInput(f"{where} cannot be read as a FAISS index {kind}: {reason}") from None
    chain = tuple(_chain(faiss, owner))
    if not chain[0].ntotal:
        raise BadInput(f"faiss:{where} holds no vectors")
    if max(each.ntotal for each in chain) > Path(where).stat().st_size:
        raise BadInput(f"faiss:{where} states {chain[0].ntotal:,} vectors, which its bytes cannot hold")
    kinds = [type(each).__name__ for each in chain]
    refused = BadInput(f"faiss:{where} is {' over '.join(kinds)}, which cannot give its vectors back")
    if any(is_whitened(faiss, step) for each in chain for step in transforms(faiss, each)):
        raise BadInput(
            f"faiss:{where} scales the components of its vectors (whitening), which FAISS does not undo; expected an "
            "index with PCA or PCAR in place of PCAW"
        )
    if any("IVF" in kind and "FastScan" in kind for kind in kinds):  # to try would end the process
        raise refused
    try:  # one by one first: a batch that cannot be reconstructed would end the process
        opened = _reader(faiss, owner, chain, where)
        opened.source.reconstruct(int(opened.ids[0]) if opened.by_id else 0)
    except (RuntimeError, MemoryError):
        raise refused from None
    return opened


def _read(faiss: Any, where: str, size: int) -> Any:
    try:
        with _bounded(faiss, size):
            return faiss.read_index(where)
    except RuntimeError as error:
        if _SQUARE not in str(error):
            raise
    with _bounded(faiss, max(size, _MATRIX)):
        return faiss.read_index(where)


@contextmanager
def _bounded(faiss: Any, size: int) -> Iterator[None]:
    """While it lasts, no vector of an index that is read may state more bytes, and no list more entries, than its file
    has; releases of FAISS before these limits have none."""
    names = [name for name in ("vector_byte_limit", "loop_limit") if hasattr(faiss, f"set_deserialization_{name}")]
    former = {name: getattr(faiss, f"get_deserialization_{name}")() for name in names}
    try:
        for name in names:
            getattr(faiss, f"set_deserialization_{name}")(max(size, 1))
        yield
    finally:
        for name, limit in former.items():
            getattr(faiss, f"set_deserialization_{name}")(limit)


def _reader(faiss: Any, owner: Any, chain: tuple[Any, ...], where: str) -> _Opened:
    """How to read an index: by the ids of its inverted lists, or by place with the ids of a map beside."""
    lost = lost_of(faiss, chain)
    mapped = [each for each in chain if hasattr(each, "id_map")]
    source = next(
        each for each in chain if not hasattr(each, "id_map")
    )  # reconstructing through a map ends the process
    lists = next((each for each in chain if hasattr(each, "invlists")), None)
    if lists is None:
        ids = np.arange(source.ntotal)
    else:
        ids = _ids_of_lists(faiss, lists)
        if len(np.unique(ids)) < len(ids):
            raise BadInput(
                f"faiss:{where} has an id twice: {np.unique(ids, return_counts=True)[1].max()} vectors of one"
            )
        lists.set_direct_map_type(faiss.DirectMap.Hashtable)
    if not mapped:
        return _Opened(chain, ids, source, lists is not None, owner, lost)
    if lists is not None and not np.array_equal(ids, np.arange(source.ntotal)):
        raise BadInput(f"faiss:{where} maps ids twice, outside and inside its lists; save the inner index alone")
    return _Opened(chain, faiss.vector_to_array(mapped[0].id_map), source, False, owner, lost)


def _ids_of_lists(faiss: Any, index: Any) -> np.ndarray:
    lists = index.invlists
    parts = [
        faiss.rev_swig_ptr(lists.get_ids(number), size).copy()
        for number in range(index.nlist)
        if (size := lists.list_size(number))
    ]
    return np.sort(np.concatenate(parts))


def _chain(faiss: Any, index: Any) -> Iterator[Any]:
    """An index and those that it wraps, outermost first."""
    index = faiss.downcast_index(index)
    yield index
    for name in _INNER:
        if (inner := getattr(index, name, None)) is not None:
            yield from _chain(faiss, inner)
