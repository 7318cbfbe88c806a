"""NumPy's .npz or .npy: an array of vectors, and beside it ids, texts and labels of the same length"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import cast

import numpy as np

from workbench.core.columns import Columns, Role, Wanted
from workbench.core.errors import BadInput, first_line
from workbench.core.ids import id_text
from workbench.data.stores._page import Page, column
from workbench.data.stores._store import Cursor, Store, StoreFacts, resumed, state_of, stored_as

__all__ = ["NpzStore"]

_SINGLE = "vectors"
_LARGEST_ROW, _LARGEST_PAGE = 1 << 24, 1 << 30
"""Bytes of one row of an array, and of one read: a header may state anything."""
_DENSEST = 1100
"""Deflate packs zeros a thousand to one, and nothing better."""
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class NpzStore(Store):
    """Arrays of one length in a file that `numpy.savez` or `numpy.save` wrote; pickled ones are not read.

    Arrays are read row by row from where they lie, compressed or not, so that the file may be larger than memory.
    """

    suffixes = (".npz", ".npy")

    def __init__(self, where: str, id: str = "", vector: str = "", text: str = "", limit: int = 0) -> None:
        super().__init__("npz", where, limit)
        self._wanted = Wanted(id, vector, text)

    def facts(self) -> StoreFacts:
        """From the arrays' headers."""
        with ExitStack() as stack:
            arrays = self._arrays(stack)
            names = self._names(arrays)
            rows, dim = arrays[names.vector].shape
            if not rows * dim:
                raise BadInput(f"{self.name} holds no vectors")
            lost, state = stored_as(arrays[names.vector].dtype), state_of(Path(self.where))
            return StoreFacts(
                self.kind, self.where, rows, dim, "", lost, names.text, snapshot=state, unread=names.unread
            )

    def _pages(self, facts: StoreFacts, batch: int, after: Cursor | None) -> Iterator[Page]:
        return resumed(self._from(after.row - 1 if after else 0, batch, facts.count), after, self.name)

    def _from(self, start: int, batch: int, count: int) -> Iterator[Page]:
        with ExitStack() as stack:
            arrays = self._arrays(stack)
            names = self._names(arrays)
            used = {name: arrays[name] for name in (names.id, names.vector, names.text, *names.labels) if name}
            with self._reading():
                for array in used.values():
                    array.skip(start)
            batch = max(1, min(batch, *(_LARGEST_PAGE // max(1, array.row_bytes) for array in used.values())))
            for first in range(start, count, batch):
                n = min(batch, count - first)
                with self._reading():
                    part = {name: array.read(n) for name, array in used.items()}
                ids = part[names.id].tolist() if names.id else range(first, first + n)
                yield Page(
                    ids=[id_text(id) or "" for id in ids],
                    vectors=part[names.vector].astype(np.float32),
                    texts=part[names.text].tolist() if names.text else None,
                    labels={name: column(part[name].tolist()) for name in names.labels},
                )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Where what comes of the file, of zip, or of any of its ways to compress is a BadInput."""
        try:
            yield
        except Exception as error:
            raise BadInput(f"{self.where} is cut short or damaged: {first_line(error)}") from error

    def _names(self, arrays: dict[str, _Array]) -> Columns:
        """Columns among the arrays that are as long as the vectors."""
        roles: dict[str, Role] = {
            name: "vector" if len(a.shape) == 2 and a.dtype.kind in "fiu" else "plain" if len(a.shape) == 1 else "other"
            for name, a in arrays.items()
        }
        roles.pop("", None)  # "" stands for no column
        usual = next((name for name in ("vectors", "embeddings") if roles.get(name) == "vector"), "")
        text = next((name for name in ("text", "texts") if roles.get(name) == "plain"), "")
        wanted = Wanted(self._wanted.id, self._wanted.vector or usual, self._wanted.text or text)
        found = wanted.among(self.name, roles, ids=("id", "ids"))
        rows = arrays[found.vector].shape[0]
        for name in filter(None, (found.id, found.text)):
            if arrays[name].shape[0] != rows:
                raise BadInput(f"{self.name}: {name} has {arrays[name].shape[0]} entries for {rows} vectors")
        labels = tuple(name for name in found.labels if arrays[name].shape[0] == rows)
        short = (f"{name} ({arrays[name].shape[0]} entries)" for name in found.labels if name not in labels)
        return Columns(found.id, found.vector, found.text, labels, (*found.unread, *short))

    def _arrays(self, stack: ExitStack) -> dict[str, _Array]:
        """Every array of the file, its header read, standing at its first row."""
        path = Path(self.where)
        if not path.is_file():
            raise BadInput(f"{path} is {'a folder' if path.is_dir() else 'not there'}; expected a .npz or .npy file")
        try:
            if not zipfile.is_zipfile(path):
                size = path.stat().st_size
                return {_SINGLE: _header(stack.enter_context(open(path, "rb")), self.where, size)}
            whole = stack.enter_context(zipfile.ZipFile(path))
            return {
                item.filename.removesuffix(".npy"): _header(
                    cast(BufferedIOBase, stack.enter_context(whole.open(item))),
                    f"{self.where}: {item.filename}",
                    min(item.file_size, _DENSEST * item.compress_size),
                )
                for item in whole.infolist()
            }
        except BadInput:
            raise
        except Exception as error:  # numpy's headers are Python literals, and fail in as many ways
            raise BadInput(f"{path} is not a whole file of NumPy arrays: {first_line(error)}") from error


@dataclass(frozen=True)
class _Array:
    """An array on disk, standing at one of its rows."""

    file: BufferedIOBase
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * prod(self.shape[1:])

    def skip(self, rows: int) -> None:
        self.file.seek(rows * self.row_bytes, 1)

    def read(self, rows: int) -> np.ndarray:
        raw = self.file.read(rows * self.row_bytes)
        if len(raw) < rows * self.row_bytes:
            raise EOFError(f"{len(raw)} bytes where {rows * self.row_bytes} were expected")
        return np.frombuffer(raw, self.dtype).reshape(rows, *self.shape[1:])


def _header(file: BufferedIOBase, name: str, size: int) -> _Array:
    """An array's header; it may not promise more than `size` bytes."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"{name} has the format {version}")
    shape, by_columns, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise BadInput(f"{name} holds pickled objects, which are not read; save it as an array of numbers or strings")
    if by_columns and len(shape) > 1:
        raise BadInput(f"{name} is stored by columns; save numpy.ascontiguousarray of it")
    found, states = _Array(file, shape, dtype), dtype.itemsize * prod(shape)
    if not dtype.itemsize or min(shape, default=0) < 0 or found.row_bytes > _LARGEST_ROW or states > size:
        raise BadInput(f"{name} states the shape {shape} of {dtype}, which its {size:,} bytes cannot hold")
    return found
