"""A Qdrant folder keeps its points as pickles: here these can name points and nothing else, so that none can act."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from workbench.core.errors import BadInput
from workbench.core.files import inside, read_json
from workbench.data.stores._library import need

_PLAIN = {("uuid", "UUID"), ("uuid", "SafeUUID"), ("datetime", "datetime"), ("datetime", "date"), ("builtins", "set")}


@contextmanager
def plain_points(folder: Path) -> Iterator[None]:
    """While it lasts, qdrant-client reads points of `folder` by a loader that makes its own data classes alone.

    Raises BadInput for a collection whose name leads out of the folder. What a pickle may not name is an
    UnpicklingError, which is a ValueError here.
    """
    content = read_json(folder / "meta.json")
    collections = content.get("collections") if isinstance(content, dict) else None
    if not isinstance(collections, dict):
        raise BadInput(f"{folder / 'meta.json'} lists no collections")
    for name in collections:
        inside(folder / "collection", name)
    home = need("qdrant_client.local.persistence")
    former = home.pickle
    home.pickle = SimpleNamespace(loads=_point, dumps=pickle.dumps)
    try:
        yield
    finally:
        home.pickle = former


def _point(data: bytes) -> Any:
    try:
        return _Points(io.BytesIO(data)).load()
    except Exception as error:
        raise ValueError(f"a point that cannot be read: {error}") from None


class _Points(pickle.Unpickler):
    """Makes qdrant-client's data classes and a few plain ones."""

    def find_class(self, module: str, name: str) -> Any:
        """The class, if it is one of those."""
        from pydantic import BaseModel

        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith("qdrant_client.") and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and issubclass(found, BaseModel | Enum):
                return found
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no point needs")
