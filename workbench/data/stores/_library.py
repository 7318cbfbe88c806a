"""The stores' own libraries, which come with an extra."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from workbench.core.errors import MissingExtra


def need(module: str) -> Any:
    """An imported library; raises MissingExtra where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(module, "stores") from error


def versions_of(*distributions: str) -> dict[str, str]:
    """Versions of installed distributions, for provenance."""
    return {name: version(name) for name in distributions}
