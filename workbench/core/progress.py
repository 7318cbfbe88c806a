"""Progress bars on standard error, for long work, when a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

quiet: ContextVar[bool] = ContextVar("quiet", default=False)
"""Set to True to silence every bar (the command line's --quiet)."""
_shown: ContextVar[Progress | None] = ContextVar("shown", default=None)


@contextmanager
def progress(what: str, total: int, unit: str = "items") -> Iterator[Callable[[int], None]]:
    """Yield `advance(k)`; a bar with rate and time left is drawn on a terminal, and nothing elsewhere."""
    if quiet.get() or not sys.stderr.isatty():
        yield lambda k: None
        return
    if outer := _shown.get():  # a bar within a bar is a second line of the first one
        task = outer.add_task(what, total=total, unit=unit, rate="")
        try:
            yield _advance(outer, task)
        finally:
            outer.remove_task(task)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[unit]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        token = _shown.set(bar)
        try:
            yield _advance(bar, bar.add_task(what, total=total, unit=unit, rate=""))
        finally:
            _shown.reset(token)


def _advance(bar: Progress, task: TaskID) -> Callable[[int], None]:
    def advance(k: int) -> None:
        bar.advance(task, k)
        (shown,) = (each for each in bar.tasks if each.id == task)
        speed = shown.finished_speed or shown.speed
        bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

    return advance
