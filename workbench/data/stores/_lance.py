"""A Lance dataset by itself: a folder that ends in .lance, as LanceDB keeps each of its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.core.errors import BadInput
from workbench.data.stores._library import need
from workbench.data.stores._secrets import said

LANCE = ".lance"


def open_dataset(path: Path) -> Any:
    """LanceDB's table of it, at its newest version. Raises BadInput for what is none."""
    try:
        return need("lancedb").connect(path.parent).open_table(path.stem)
    except (ValueError, RuntimeError, OSError) as error:
        raise BadInput(f"{path} cannot be opened as a Lance dataset: {said(error)}") from None
