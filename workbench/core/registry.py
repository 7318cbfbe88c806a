"""The folder is the registry: one file is one member, underscore names are helpers, the docstring is the entry."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from typing import Any

from workbench.core.errors import BadInput, UnknownName, first_line


@dataclass(frozen=True)
class Registry:
    """The members of one family: the modules of `package`, and the entry points of the group with the package's name.

    A member's module names its class first in `__all__`. Nothing is imported until `load`.
    """

    kind: str
    package: str

    def names(self) -> tuple[str, ...]:
        """Registered names in order: file names with `-` for `_`, then those of other distributions."""
        return tuple(sorted({*self._own(), *self._foreign()}))

    def summary(self, name: str) -> str:
        """First line of the member's docstring, read without importing it."""
        if name in (own := self._own()):
            doc = ast.get_docstring(ast.parse(own[name].read_text(encoding="utf-8"))) or ""
            return doc.partition("\n")[0].rstrip(".")
        return f"from {self._foreign()[self.require(name)].value}"

    def load(self, name: str) -> Any:
        """Import the member's module and give its class. Raises UnknownName, and BadInput for one of another
        package that cannot be imported."""
        self.require(name)
        if name in self._own():
            module = import_module(f"{self.package}.{name.replace('-', '_')}")
            return getattr(module, module.__all__[0])
        point = self._foreign()[name]
        try:
            return point.load()
        except Exception as error:  # code of others, which may raise anything
            said = f"{type(error).__name__}: {first_line(error)}"
            raise BadInput(
                f"the {self.kind} {name!r} of another package ({point.value}) cannot be loaded: {said}"
            ) from error

    def require(self, name: str) -> str:
        """`name` itself if it is registered; raises UnknownName otherwise."""
        if name not in self.names():
            raise UnknownName(self.kind, name, self.names())
        return name

    def _own(self) -> dict[str, Any]:
        return {
            entry.name[:-3].replace("_", "-"): entry
            for entry in files(self.package).iterdir()
            if entry.name.endswith(".py") and not entry.name.startswith("_")
        }

    def _foreign(self) -> dict[str, Any]:
        return {point.name: point for point in _entry_points(self.package, tuple(sys.path))}


@lru_cache
def _entry_points(group: str, _path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Those of a group; the files of the distributions on a path are read once."""
    return tuple(entry_points(group=group))
