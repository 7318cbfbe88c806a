"""Tables of other libraries, files and folders as Arrow tables; no library is imported for it but pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core.errors import BadInput, first_line
from workbench.core.files import as_path, inside, read_json, whole_file

MAPPED = ".arrow"
_SAVED, _SAVED_SPLITS = "state.json", "dataset_dict.json"
"""Files by which a folder of `datasets` is known: of one data set, and of several splits."""
ERRORS = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError)


def arrow_table(source: Any) -> pa.Table:
    """An Arrow table of the same rows: a DataFrame (pandas, polars, all that speak Arrow's C stream), a
    `datasets.Dataset`, a matrix, or a sequence of vectors, which becomes the column `vector`.

    Raises BadInput for anything else.
    """
    try:
        return plain_types(_table_of(source))
    except BadInput:
        raise
    except (*ERRORS, AttributeError) as error:
        raise BadInput(f"the {type(source).__name__} cannot be read as a table: {first_line(error)}") from error


def read_table(path: Path | str) -> pa.Table:
    """The table of a Parquet file, of an `.arrow` file (mapped into memory), or of a folder of `save_to_disk`.

    Raises BadInput for a path that is not there or is damaged.
    """
    path = as_path(path)
    if path.is_dir() and is_saved_dataset(path):
        return _saved(path)
    if not path.is_file():
        raise BadInput(f"{path} is {'a folder' if path.is_dir() else 'not there'}; expected a Parquet file")
    with whole_parquet(path):
        if path.suffix == MAPPED:
            table = _mapped(path)
        else:
            with pq.ParquetFile(path) as file:
                table = file.read()
        return plain_types(table)


def is_table(source: Any) -> bool:
    """Whether an object is a table of a library: a DataFrame, an Arrow table or a `datasets.Dataset`."""
    return hasattr(source, "__arrow_c_stream__") or type(source).__module__.partition(".")[0] == "datasets"


def is_saved_dataset(path: Path | str) -> bool:
    """Whether a folder is one that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote."""
    return any((Path(path) / name).is_file() for name in (_SAVED, _SAVED_SPLITS))


def whole_parquet(path: Path | str) -> AbstractContextManager[None]:
    """Where what Arrow raises of a damaged file, at once or when its values are taken, is a BadInput."""
    kind = "Arrow" if Path(path).suffix == MAPPED else "Parquet"
    return whole_file(path, f"is not a whole {kind} file", *ERRORS)


def plain_types(table: pa.Table) -> pa.Table:
    """The same table without views and dictionaries (categories), which only some functions of Arrow know."""
    for place, field in enumerate(table.schema):
        if (kind := _plain(field.type)) != field.type:
            table = table.set_column(place, field.with_type(kind), _cast(table.column(place), kind))
    return table


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except pa.ArrowNotImplementedError:  # a dictionary of views, as polars gives for categories
        return pa.chunked_array([pa.array(column.to_pylist(), kind)])


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return pa.large_list(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    return kind


def _table_of(source: Any) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if type(source).__module__.partition(".")[0] == "datasets":
        if isinstance(source, dict):
            raise BadInput(f"the {type(source).__name__} holds several splits; pass one: {', '.join(map(str, source))}")
        if not hasattr(source, "with_format"):
            raise BadInput(f"the {type(source).__name__} has no rows at hand; make a Dataset of it first")
        return pa.Table.from_batches(source.with_format("arrow")[:].to_batches())
    if (hasattr(source, "ndim") or hasattr(source, "to_frame")) and not hasattr(
        source, "columns"
    ):  # a matrix, or a Series of lists
        return _column(source)
    if type(source).__module__.partition(".")[0] == "pandas":
        numbered = type(source.index).__name__ == "RangeIndex" and (source.index.start, source.index.step) == (0, 1)
        return pa.Table.from_pandas(source, preserve_index=not numbered)
    if hasattr(source, "__arrow_c_stream__"):
        found = pa.RecordBatchReader.from_stream(source)
        return found.read_all()
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        return _column(source)
    raise BadInput(
        f"a {type(source).__name__} is no table of vectors; expected an EmbeddingSet, a DataFrame, an Arrow table, "
        "a datasets.Dataset, a matrix, or a path"
    )


def _column(source: Any) -> pa.Table:
    """Vectors alone; the labels of a Series' index are kept as one."""
    if len(getattr(source, "shape", ())) == 2:
        matrix = np.ascontiguousarray(source, dtype=np.float32)
        return pa.table({"vector": pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])})
    if hasattr(source, "to_frame"):  # pandas and polars
        return _table_of(source.to_frame("vector"))
    return pa.table({"vector": pa.array([None if row is None else list(row) for row in source])})


def _mapped(path: Path) -> pa.Table:
    """A table in Arrow's file format, or in its stream format, as `datasets` writes it; the vectors stay on disk."""
    source = pa.memory_map(str(path))
    try:
        table = pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        try:
            table = pa.ipc.open_stream(source).read_all()
        except pa.ArrowInvalid:
            table = pa.ipc.open_file(source).read_all()  # the first error says more
    table.validate(full=True)  # what lies in memory is taken at its word otherwise
    return table


def _saved(folder: Path) -> pa.Table:
    if (folder / _SAVED_SPLITS).is_file():
        splits = read_json(folder / _SAVED_SPLITS)
        names = splits.get("splits") if isinstance(splits, dict) else None
        known = ", ".join(str(folder / str(name)) for name in names or ())
        raise BadInput(f"{folder} holds several splits; name one: {known or 'none'}")
    state = read_json(folder / _SAVED)
    files = state.get("_data_files") if isinstance(state, dict) else None
    if not isinstance(files, list) or not files or not all(isinstance(each, dict) for each in files):
        raise BadInput(f"{folder / _SAVED} names no data files; was it written by save_to_disk?")
    tables = []
    for each in files:
        path = inside(folder, str(each.get("filename")))
        if not path.is_file():
            raise BadInput(f"{path} is not there, though {folder / _SAVED} names it")
        with whole_file(path, "is not a whole Arrow file", *ERRORS):
            tables.append(_mapped(path))
    with whole_file(folder, "is not a whole data set", *ERRORS):
        return plain_types(pa.concat_tables(tables))
