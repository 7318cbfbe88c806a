"""EmbeddingSet: ids, vectors, and what is known of them; the one thing that crosses from data to methods."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core import codec
from workbench.core.bad_rows import BadRows, OnBadRows, matrix_of, require_policy, screen, vector_faults
from workbench.core.columns import INDEX, Wanted, roles
from workbench.core.errors import BadInput, first_line
from workbench.core.files import atomic_path, parse_json, whole_file
from workbench.core.ids import unique_ids
from workbench.core.labels import column as label_column
from workbench.core.labels import items as label_items
from workbench.core.tables import ERRORS, MAPPED, arrow_table, read_table
from workbench.core.vectors import are_unit

_LOSS = re.compile(r"quantised|reconstructed|one bit|are bits|of 8 bits|\blost\b|not read")
_META = b"workbench.provenance"
_LABEL = "label."
_ANY = Wanted()
_GROUP = 1 << 24
"""Numbers in a row group: whoever scrolls through a file holds one of them."""


@dataclass(frozen=True)
class Provenance:
    """Where vectors come from. `normalised` is None where it is not known; an EmbeddingSet measures it."""

    embedder: str = "unknown"
    revision: str = ""
    normalised: bool | None = None
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Columns of the source that were not read, by name, and why."""

    @property
    def lost(self) -> tuple[str, ...]:
        """The notes that say what the vectors no longer hold of the embedder's numbers; lengths under a metric that
        ignores them do not count."""
        return tuple(note for note in self.notes if _LOSS.search(note) and not note.startswith("norms are 1"))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Provenance:
        """Rebuild from JSON; keys of a later release are passed over."""
        return codec.decode(cls, {f.name: value[f.name] for f in fields(cls) if f.name in value}, "provenance")

    @classmethod
    def of_schema(cls, schema: pa.Schema) -> Provenance | None:
        """What a table that `EmbeddingSet.to_arrow` made says of its vectors; None for a table of others."""
        if (meta := (schema.metadata or {}).get(_META)) is None:
            return None
        value = parse_json(meta.decode("utf-8", "replace"), "provenance")
        if not isinstance(value, dict):
            raise BadInput(f"provenance is a {type(value).__name__}; expected an object")
        return cls.from_json(value)

    def metadata(self) -> dict[bytes, bytes]:
        """The metadata of a table's schema that hold this."""
        return {_META: json.dumps(asdict(self)).encode()}


@dataclass(frozen=True, eq=False)
class EmbeddingSet:
    """n vectors of d dimensions with unique ids, and perhaps their texts and labels.

    Checked on construction: BadInput names the row and id of the first NaN, infinite or zero vector and of the first
    duplicate id, and any length that does not fit. Shapes: ids (n,), vectors (n, d), texts (n,), each label (n,).
    Ids are text, as in files: 1 becomes "1". `provenance.normalised` is measured on the vectors, whatever was stated.
    """

    ids: np.ndarray
    vectors: np.ndarray
    texts: np.ndarray | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    """Columns as users have them; arrays once the set is made, None (NaN among numbers) where a row has no label."""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        vectors = _numbers(self.vectors)
        if vectors.ndim != 2 or vectors.shape[1] < 1 or vectors.shape[0] < 1:
            raise BadInput(f"vectors has shape {vectors.shape}; expected (n, d) with n and d at least 1")
        n = len(vectors)
        ids = unique_ids(self.ids)
        if len(ids) != n:
            raise BadInput(f"ids has {len(ids)} entries but vectors has shape {vectors.shape}; expected {n} ids")
        if not isinstance(self.provenance, Provenance):
            raise BadInput(f"provenance is {self.provenance!r}; expected a Provenance(embedder='minilm')")
        if not isinstance(self.labels, Mapping) or not all(isinstance(name, str) for name in self.labels):
            raise BadInput(f"labels is a {type(self.labels).__name__}; expected columns by name, as {{'label': [...]}}")
        texts = None if self.texts is None else _texts(label_items(self.texts, "texts"))
        labels = {name: label_column(column, f"the label {name!r}") for name, column in self.labels.items()}
        for name, column in {"texts": texts, **labels}.items():
            if column is not None and len(column) != n:
                raise BadInput(f"{name} has {len(column)} entries but vectors has shape {vectors.shape}; expected {n}")
        screen(vector_faults(vectors), ids, "fail")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "provenance", replace(self.provenance, normalised=are_unit(vectors)))

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
        """The rows that a mask, slice or index array picks. Raises BadInput where it picks none, or rows not there."""
        try:
            ids = self.ids[index]
        except (IndexError, ValueError) as error:
            raise BadInput(f"{index!r} picks no rows of {len(self):,}: {error}") from error
        if np.ndim(ids) != 1 or not len(ids):
            raise BadInput(f"{index!r} picks no rows of {len(self):,}; expected a mask, a slice or numbers of rows")
        return replace(
            self,
            ids=ids,
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
        return pa.table(columns).replace_schema_metadata(self.provenance.metadata())

    @classmethod
    def from_arrow(cls, table: pa.Table, source: str = "table", on_bad_rows: OnBadRows = "fail") -> EmbeddingSet:
        """Read back what `to_arrow` wrote, or any table with a column of vectors, as `of` does."""
        return read_set(table, source, on_bad_rows=on_bad_rows)[0]

    @classmethod
    def of(
        cls, source: Any, *, id: str = "", vector: str = "", text: str = "", on_bad_rows: OnBadRows = "fail"
    ) -> EmbeddingSet:
        """A set from any table of vectors: pandas, polars, Arrow, Hugging Face datasets, files, and sets themselves.

        Args:
            source: An EmbeddingSet (given back as it is), a DataFrame of pandas or polars, an Arrow table, a
                `datasets.Dataset` or the folder where `save_to_disk` put one, a path as `load` takes it, a matrix
                (n, d), or a Series of lists.
            id, vector, text: Names of columns. By default the id is `id`, `_id`, `ids` or `uuid`, or else the index of
                a DataFrame, or else the row's number; the vector is `vector`, `embedding` or the only column of lists
                of numbers; the text is `text`. All other plain columns become labels.
            on_bad_rows: What happens to rows whose vector is missing, of another length, all zeros, or holds NaN or
                infinity: `fail` refuses the table; `skip` leaves them out and says so in `provenance.notes`.

        Raises:
            BadInput: For what is no table, a column that is not there, bad rows, and ids that are not unique.
        """
        if isinstance(source, EmbeddingSet):
            return source
        if isinstance(source, str | Path):
            table, name = read_table(source), str(source)
        else:
            table, name = arrow_table(source), f"the {type(source).__name__}"
        return read_set(table, name, Wanted(id, vector, text), on_bad_rows)[0]

    def save(self, path: Path | str) -> None:
        """Write Parquet, or for a name that ends in `.arrow` an Arrow file; whole or not at all."""
        with atomic_path(path) as temporary:
            if Path(path).suffix == MAPPED:
                table = self.to_arrow()
                with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
                    file.write_table(table)
            else:
                rows = max(1, _GROUP // self.dim)
                pq.write_table(self.to_arrow(), temporary, compression="zstd", row_group_size=rows)

    @classmethod
    def load(cls, path: Path | str, on_bad_rows: OnBadRows = "fail") -> EmbeddingSet:
        """Read Parquet, or map an `.arrow` file into memory: its vectors stay on disk until they are used.

        Also reads the folder of one data set that `datasets` saved to disk. Raises BadInput for a file that is missing,
        cut short, or holds bad rows, unless `on_bad_rows` is `skip`.
        """
        return read_set(read_table(path), str(path), on_bad_rows=on_bad_rows)[0]


SetLike = Any
"""An EmbeddingSet, or any table of vectors that `EmbeddingSet.of` takes: a DataFrame, an Arrow table, a data set."""


def read_set(
    table: pa.Table, source: str, wanted: Wanted = _ANY, on_bad_rows: OnBadRows = "fail"
) -> tuple[EmbeddingSet, BadRows]:
    """A table as a set, and the rows that were skipped; errors call the table `source`. See `EmbeddingSet.of`."""
    require_policy(on_bad_rows)
    with whole_file(source, "cannot be read as a table of vectors", *ERRORS):
        try:
            made = Provenance.of_schema(table.schema)
            names = wanted.among(source, roles(table.schema))
            labels, doubled = _label_columns(names.labels)
            if not len(table):
                raise BadInput("the table has no rows")
            vectors, faults = matrix_of(table[names.vector])
            ids = _ids(table, names.id)
            keep, skipped = screen({**vector_faults(vectors), **faults}, ids, on_bad_rows)
            if not keep.any():
                raise BadInput(f"none of its {len(ids):,} rows can be used: {'; '.join(skipped.notes())}")
            rows = np.flatnonzero(keep) if len(skipped) else slice(None)
            made = made or Provenance()
            return EmbeddingSet(
                ids=ids[rows],
                vectors=vectors[rows],
                texts=_texts(table[names.text].to_pylist())[rows] if names.text else None,
                labels={name: label_column(table[column].to_pylist())[rows] for name, column in labels.items()},
                provenance=replace(
                    made, notes=(*made.notes, *skipped.notes()), unread=(*made.unread, *names.unread, *doubled)
                ),
            ), skipped
        except BadInput as error:
            raise error if str(error).startswith(source) else BadInput(f"{source}: {error}") from error


def _label_columns(names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The column of each label, and the columns that are not read because a column of ours has their name."""
    labels = {name.removeprefix(_LABEL): name for name in names if name.startswith(_LABEL)}
    doubled = [f"{name} (the label {_LABEL}{name} has its name)" for name in names if name in labels]
    return labels | {name: name for name in names if not name.startswith(_LABEL) and name not in labels}, doubled


def _ids(table: pa.Table, name: str) -> np.ndarray:
    """Ids of the rows as they stand in the table; an index that repeats itself, as after a join, numbers no rows."""
    values = table[name].to_pylist() if name else []
    if not name or (name == INDEX and len(set(values)) < len(values)):
        values = [str(row) for row in range(len(table))]
    held = np.empty(len(values), dtype=object)
    held[:] = values
    return held


def _texts(values: list[Any]) -> np.ndarray:
    """Texts (n,), None where one is missing."""
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise BadInput(f"row {row} of 'text' is a {type(value).__name__}; expected text")
    return np.array(values, object)


def _numbers(vectors: Any) -> np.ndarray:
    """Vectors as float32; an array of truth values, whole numbers or floats is taken, and of nothing else."""
    try:
        held = np.asarray(vectors)
        if held.dtype.kind not in "biufO":
            raise TypeError(f"they are of the type {held.dtype}")
        return np.ascontiguousarray(held, dtype=np.float32)
    except (ValueError, TypeError, RuntimeError) as error:
        raise BadInput(f"vectors are not a table of real numbers: {first_line(error)}") from error
