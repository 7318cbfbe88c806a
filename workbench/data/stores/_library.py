"""The stores' own libraries, which come with an extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any

from workbench.core.errors import BadInput, MissingExtra, WorkbenchError
from workbench.data.stores._retry import Lost
from workbench.data.stores._secrets import said


def need(module: str) -> Any:
    """An imported library; raises MissingExtra where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(module, "stores") from error


@contextmanager
def engine(store: str, fault: str = "cannot be read") -> Iterator[None]:
    """Where what a store's own engine raises of files that it cannot read is a BadInput.

    Engines raise errors of no class of their own, and those in Rust panic, which is no Exception.
    """
    try:
        yield
    except (WorkbenchError, Lost):
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise BadInput(f"{store} {fault}: {said(error)}") from None
        raise


def versions_of(*distributions: str) -> dict[str, str]:
    """Versions of installed distributions, for provenance."""
    return {name: version(name) for name in distributions}
