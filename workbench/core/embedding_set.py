"""EmbeddingSet: ids, vectors, and what is known of them; the one thing that crosses from data to methods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core import codec
from workbench.core.errors import BadInput
from workbench.core.files import atomic_path, parse_json, whole_file
from workbench.core.labels import column as label_column
from workbench.core.vectors import finite_rows

_META = b"workbench.provenance"
_LABEL = "label."
_MAPPED = ".arrow"
_GROUP = 1 << 24
"""Numbers in a row group: whoever scrolls through a file holds one of them."""


@dataclass(frozen=True)
class Provenance:
    """Where vectors come from. `normalised` is None where it is not known."""

    embedder: str = "unknown"
    revision: str = ""
    normalised: bool | None = None
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Provenance:
        """Rebuild from JSON; keys of a later release are passed over."""
        return codec.decode(cls, {f.name: value[f.name] for f in fields(cls) if f.name in value}, "provenance")


@dataclass(frozen=True, eq=False)
class EmbeddingSet:
    """n vectors of d dimensions with unique ids, and perhaps their texts and labels.

    Checked on construction: BadInput names the row and id of the first NaN, infinite or zero vector and of the first
    duplicate id, and any length that does not fit. Shapes: ids (n,), vectors (n, d), texts (n,), each label (n,).
    """

    ids: np.ndarray
    vectors: np.ndarray
    texts: np.ndarray | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    """Columns as users have them; arrays once the set is made, None (NaN among numbers) where a row has no label."""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        ids = np.asarray(self.ids, dtype=object)
        try:
            vectors = np.ascontiguousarray(self.vectors, dtype=np.float32)
        except (ValueError, TypeError) as error:
            raise BadInput(f"vectors are not a table of numbers: {error}") from error
        if vectors.ndim != 2 or vectors.shape[1] < 1 or vectors.shape[0] < 1:
            raise BadInput(f"vectors has shape {vectors.shape}; expected (n, d) with n and d at least 1")
        n = len(vectors)
        if ids.shape != (n,):
            raise BadInput(f"ids has {len(ids)} entries but vectors has shape {vectors.shape}; expected {n} ids")
        for name, column in {"texts": self.texts, **self.labels}.items():
            if column is not None and len(column) != n:
                raise BadInput(f"{name} has {len(column)} entries but vectors has shape {vectors.shape}; expected {n}")
        _refuse_bad_rows(ids, vectors)
        _refuse_duplicates(ids)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "labels", {name: label_column(column) for name, column in self.labels.items()})
        if self.texts is not None:
            object.__setattr__(self, "texts", np.asarray(self.texts, dtype=object))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        """d, the number of dimensions."""
        return self.vectors.shape[1]

    def require_dim(self, dim: int, who: str) -> None:
        """Raise BadInput unless the vectors have `dim` dimensions, as `who` expects."""
        if self.dim != dim:
            raise BadInput(f"vectors have {self.dim} dimensions; {who} expects {dim}: was another embedder used?")

    def without_texts(self) -> EmbeddingSet:
        """The same vectors without texts and labels: all that an attacker may hold."""
        return replace(self, texts=None, labels={})

    def select(self, index: Any) -> EmbeddingSet:
        """The rows that a mask, slice or index array picks."""
        return replace(
            self,
            ids=self.ids[index],
            vectors=self.vectors[index],
            texts=None if self.texts is None else self.texts[index],
            labels={name: column[index] for name, column in self.labels.items()},
        )

    def to_arrow(self) -> pa.Table:
        """Arrow table: `id`, `vector` (fixed-size list of float32), `text`, and `label.NAME` columns."""
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(self.vectors.ravel()), self.dim)
        columns: dict[str, Any] = {"id": pa.array([str(id) for id in self.ids]), "vector": vectors}
        if self.texts is not None:
            columns["text"] = pa.array(list(self.texts), pa.string())
        columns |= {_LABEL + name: pa.array(list(column)) for name, column in self.labels.items()}
        return pa.table(columns).replace_schema_metadata({_META: json.dumps(asdict(self.provenance))})

    @classmethod
    def from_arrow(cls, table: pa.Table, source: str = "table") -> EmbeddingSet:
        """Read back what `to_arrow` wrote, or any table with a `vector` list column and perhaps `id` and `text`."""
        if "vector" not in table.column_names:
            raise BadInput(f"{source} has no column 'vector'; it has: {', '.join(table.column_names) or 'none'}")
        meta = (table.schema.metadata or {}).get(_META)
        has = set(table.column_names)
        try:
            return cls(
                ids=np.array(table["id"].to_pylist() if "id" in has else [str(i) for i in range(len(table))], object),
                vectors=_matrix(table["vector"]),
                texts=_texts(table["text"].to_pylist()) if "text" in has else None,
                labels={
                    name.removeprefix(_LABEL): label_column(table[name].to_pylist())
                    for name in table.column_names
                    if name.startswith(_LABEL)
                },
                provenance=_provenance(meta) if meta else Provenance(),
            )
        except BadInput as error:
            raise BadInput(f"{source}: {error}") from error

    def save(self, path: Path | str) -> None:
        """Write Parquet, or for a name that ends in `.arrow` an Arrow file; whole or not at all."""
        with atomic_path(path) as temporary:
            if Path(path).suffix == _MAPPED:
                table = self.to_arrow()
                with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
                    file.write_table(table)
            else:
                rows = max(1, _GROUP // self.dim)
                pq.write_table(self.to_arrow(), temporary, compression="zstd", row_group_size=rows)

    @classmethod
    def load(cls, path: Path | str) -> EmbeddingSet:
        """Read Parquet, or map an `.arrow` file into memory: its vectors stay on disk until they are used.

        Raises BadInput for a file that is missing, cut short, or holds bad rows.
        """
        if not Path(path).is_file():
            raise BadInput(f"{path} is {'a folder' if Path(path).is_dir() else 'not there'}; expected a Parquet file")
        with whole_parquet(path):
            if Path(path).suffix == _MAPPED:
                table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
                table.validate(full=True)  # what lies in memory is taken at its word otherwise
                return cls.from_arrow(table, str(path))
            with pq.ParquetFile(path) as file:
                table = file.read()
            return cls.from_arrow(table, str(path))


def whole_parquet(path: Path | str) -> AbstractContextManager[None]:
    """Where what Arrow raises of a damaged file, at once or when its values are taken, is a BadInput."""
    kind = "Arrow" if Path(path).suffix == _MAPPED else "Parquet"
    errors = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError)
    return whole_file(path, f"is not a whole {kind} file", *errors)


def _provenance(meta: bytes) -> Provenance:
    value = parse_json(meta.decode("utf-8", "replace"), "provenance")
    if not isinstance(value, dict):
        raise BadInput(f"provenance is a {type(value).__name__}; expected an object")
    return Provenance.from_json(value)


def _texts(values: list[Any]) -> np.ndarray:
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise BadInput(f"row {row} of 'text' is a {type(value).__name__}; expected text")
    return np.array(values, object)


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise BadInput(f"column 'vector' is {kind}; expected lists of numbers")
    if not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise BadInput(f"column 'vector' holds {kind.value_type}; expected numbers")
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()  # one chunk is not copied
    if isinstance(array, pa.ChunkedArray) or not len(array):  # an empty column may have no chunk to combine
        raise BadInput("the table has no rows")
    if array.null_count:
        row = int(np.flatnonzero(~np.asarray(array.is_valid()))[0])
        raise BadInput(f"row {row} has no vector")
    lengths = np.asarray(array.value_lengths())
    if len(lengths) and (odd := np.flatnonzero(lengths != lengths[0])).size:
        row = int(odd[0])
        raise BadInput(f"row {row} has {lengths[row]} dimensions but row 0 has {lengths[0]}; expected one length")
    values = array.flatten()
    if values.null_count:
        place = int(np.flatnonzero(~np.asarray(values.is_valid()))[0])
        raise BadInput(f"row {place // int(lengths[0])} has a missing number in its vector")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused by its row
        return np.asarray(values, dtype=np.float32).reshape(len(array), -1)


def _refuse_bad_rows(ids: np.ndarray, vectors: np.ndarray) -> None:
    finite = finite_rows(vectors)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise BadInput(f"row {row} (id {ids[row]!r}) holds NaN or infinity; {int((~finite).sum())} such rows in all")
    zero = ~vectors.any(axis=1)
    if zero.any():
        row = int(np.flatnonzero(zero)[0])
        raise BadInput(f"row {row} (id {ids[row]!r}) is a zero vector; {int(zero.sum())} such rows in all")


def _refuse_duplicates(ids: np.ndarray) -> None:
    seen: dict[Any, int] = {}
    for row, id in enumerate(ids):
        if id in seen:
            raise BadInput(f"row {row} has the id {id!r} of row {seen[id]}; ids must be unique")
        seen[id] = row
