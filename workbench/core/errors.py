"""Errors that name the value, the expectation and the fix.

Every error a user can cause is a `WorkbenchError`; the command line prints its message in one line and exits with 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class WorkbenchError(Exception):
    """Base of all errors that a user can cause and mend."""


class BadInput(WorkbenchError, ValueError):
    """A value, file or row that does not have the stated form."""


class CannotWrite(WorkbenchError, OSError):
    """A file that could not be written: a full disk, a place where nobody may write. What was there before stays."""


class FetchError(WorkbenchError, OSError):
    """A model or corpus that could not be brought here, or that is not what its card says."""


class MissingExtra(WorkbenchError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is not installed; run: pip install 'embedding-workbench[{extra}]'")


class AccessDenied(WorkbenchError, PermissionError):
    """A method that needs more than its threat model grants."""


def require(value: object, kind: type | tuple[type, ...], what: str) -> None:
    """Raise BadInput unless `value`, which the message calls `what`, is of a kind (or one of several)."""
    if not isinstance(value, kind):
        names = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
        raise BadInput(f"{what} has the type {type(value).__name__}; expected {names}")


def as_texts(texts: object, what: str = "texts") -> list[str]:
    """The texts as a list. Raises BadInput for a single string, what is no sequence, and what is no text in it."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise BadInput(f"{what} has the type {type(texts).__name__}; expected a list of strings, such as [text]")
    found = getattr(texts, "to_pylist", lambda: list(texts))()  # iterating over Arrow's columns gives scalars
    for row, text in enumerate(found):
        if not isinstance(text, str):
            raise BadInput(f"text {row} is {text!r}; expected a string")
    return found


def first_line(error: Exception) -> str:
    """The first line of a library's message, for an error of ours that is to be one line."""
    return str(error).strip().partition("\n")[0]


class UnknownName(WorkbenchError, LookupError):
    """A name that no registry holds; proposes the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = get_close_matches(str(name), known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"no {kind} is called {name!r}.{hint} Known: {', '.join(known) or 'none'}")
