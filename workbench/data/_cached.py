"""Tables that are made once and kept in the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from workbench.core.files import atomic_path
from workbench.core.resources import cache_folder


def made_once(place: str | Path, make: Callable[[], pa.Table]) -> pa.Table:
    """The table at `place` in the cache, made if it is not there; another process waits rather than make it again."""
    cached = cache_folder() / place
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{cached}.lock"):
            if not cached.exists():
                table = make()
                with atomic_path(cached) as temporary:
                    pq.write_table(table, temporary, compression="zstd")
    return pq.read_table(cached)
