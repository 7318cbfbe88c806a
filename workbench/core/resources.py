"""Where the data that ships with the workbench lies, and where the cache is."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(kind: str) -> Path:
    """Folder of the shipped `checkpoints` or `probes`: inside an installed wheel, beside the package in a checkout."""
    inside = _PACKAGE / "_shipped" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def cache_folder() -> Path:
    """`WORKBENCH_CACHE`, or the platform's own cache folder."""
    if chosen := os.environ.get("WORKBENCH_CACHE"):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("embedding-workbench")
