"""Tables that are made once and kept in the cache."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from workbench.core.errors import BadInput
from workbench.core.files import atomic_path
from workbench.core.resources import cache_folder
from workbench.core.tables import whole_parquet

_LOG = logging.getLogger(__name__)


def made_once(place: str | Path, make: Callable[[], pa.Table]) -> pa.Table:
    """The table at `place` in the cache, made if it is not there or is damaged; another process waits meanwhile."""
    cached = cache_folder() / place
    if (found := _read(cached)) is not None:
        return found
    cached.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{cached}.lock"):
        if (found := _read(cached)) is not None:
            return found
        table = make()
        with atomic_path(cached) as temporary:
            pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    return table


def _read(path: Path) -> pa.Table | None:
    if not path.exists():
        return None
    try:
        with whole_parquet(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read()
    except BadInput as error:
        _LOG.warning("%s; it is made anew", error)
        return None
