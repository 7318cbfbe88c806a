"""Notices: what a user must know about a whole run, stated once, on standard error or in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger(__name__)
_lines: dict[str, str] = {}
_collecting = [False]
"""Whether a command collects notices."""


def notice(key: str, line: str) -> None:
    """State `line` once for `key`.

    While a command collects notices, a later line of the same key replaces the earlier one, so that totals are final.
    Elsewhere (a notebook, a script) the first line of each key is logged as a warning at once.
    """
    if not _collecting[0] and key not in _lines:
        _LOG.warning("%s", line)
    _lines[key] = line


@contextmanager
def collected() -> Iterator[dict[str, str]]:
    """The notices of one command, by key; nothing is logged meanwhile."""
    before, _collecting[0] = _collecting[0], True
    _lines.clear()
    try:
        yield _lines
    finally:
        _collecting[0] = before
