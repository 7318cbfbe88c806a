"""Answers to what a reader clicks: worked out beside the kernel's main thread, streamed, overtaken and cancelled."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from workbench.core.errors import WorkbenchError, first_line

Handler = Callable[[Any], Any]
"""Takes what the browser sent; gives an answer, or an iterator whose every item is the whole answer so far."""
_PAUSE = 0.05
"""Seconds between two reports of progress."""


@dataclass(frozen=True)
class Progress:
    """How far a handler is; one that is a generator may yield it between its answers. `done` of `total` steps."""

    done: int
    total: int
    note: str = ""


@dataclass(eq=False)
class Request:
    """One question of one view. `emit(kind, value)` sends: part, progress, done, failed or cancelled."""

    payload: Any
    emit: Callable[[str, Any], None]
    cancelled: threading.Event = field(default_factory=threading.Event)


class Channel:
    """One line of questions, of which the newest alone counts: it cancels the one before.

    A handler that is a generator is cancelled between two items. One that is a plain function runs to its end in its
    thread; its answer is dropped, and the newest question waits for the thread. Threads live while there is work.
    """

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self._lock = threading.Lock()
        self._running: Request | None = None
        self._next: Request | None = None
        self.error: Exception | None = None
        """The last exception of the handler, for the person who wrote it."""

    def submit(self, request: Request) -> None:
        """Answer `request` as soon as the thread is free; all earlier ones are cancelled."""
        with self._lock:
            overtaken, self._next = self._next, request
            if self._running is not None:
                self._running.cancelled.set()
            else:
                self._running = request
                self._next = None
                context = contextvars.copy_context()
                threading.Thread(target=context.run, args=(self._work,), daemon=True, name="widget").start()
        if overtaken is not None:
            overtaken.emit("cancelled", None)

    def cancel(self) -> None:
        """Give up what is running and what waits."""
        with self._lock:
            waiting, self._next = self._next, None
            if self._running is not None:
                self._running.cancelled.set()
        if waiting is not None:
            waiting.emit("cancelled", None)

    def _work(self) -> None:
        while (request := self._running) is not None:
            try:
                request.emit(*self._answer(request))
            except Exception as error:  # the page is gone; the next question must not wait for it
                self.error = error
            with self._lock:
                self._running, self._next = self._next, None

    def _answer(self, request: Request) -> tuple[str, Any]:
        """How it ended, after all parts were sent."""
        try:
            for kind, value in stream(self.handler, request.payload):
                if request.cancelled.is_set():
                    return "cancelled", None
                request.emit(kind, value)
        except Exception as error:  # whatever a handed-over callable raises is shown in words
            self.error = error
            return ("cancelled", None) if request.cancelled.is_set() else ("failed", words(error))
        return ("cancelled" if request.cancelled.is_set() else "done"), None


def stream(handler: Handler, payload: Any) -> Iterator[tuple[str, Any]]:
    """`("part", answer so far)` and `("progress", Progress)`, of the latter not more than one in a twentieth second."""
    answer = handler(payload)
    if not isinstance(answer, Iterator):
        yield "part", answer
        return
    reported = 0.0
    for item in answer:
        if not isinstance(item, Progress):
            yield "part", item
        elif (now := time.monotonic()) - reported >= _PAUSE:
            reported = now
            yield "progress", item


def final(handler: Handler, payload: Any) -> tuple[str, Any]:
    """The last answer of a handler, or how it failed in words: what a page without a kernel is given."""
    last: Any = None
    try:
        for kind, value in stream(handler, payload):
            last = value if kind == "part" else last
    except Exception as error:  # the page says it, as the widget would
        return "failed", words(error)
    return "part", last


def words(error: Exception) -> str:
    """An exception as one line for a reader."""
    return str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {first_line(error)}"
