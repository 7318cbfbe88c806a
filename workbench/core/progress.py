"""Progress bars on standard error, for long work, when a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

quiet: ContextVar[bool] = ContextVar("quiet", default=False)
"""Set to True to silence every bar (the command line's --quiet)."""


@contextmanager
def progress(what: str, total: int, unit: str = "items") -> Iterator[Callable[[int], None]]:
    """Yield `advance(k)`; a bar with rate and time left is drawn on a terminal, and nothing elsewhere."""
    if quiet.get() or not sys.stderr.isatty():
        yield lambda k: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(k: int) -> None:
            bar.advance(task, k)
            speed = bar.tasks[task].finished_speed or bar.tasks[task].speed
            bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance
