"""The loop over a crew: parts are given out, done again elsewhere when a worker is gone, and given up at the third try.

One loop serves one process, several, and a cluster, so that all of them keep the same promises.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from workbench.jobs.bulk._crew import Crew, Gone, Ready, RunStopped
from workbench.jobs.bulk._part import Record, Task, Trouble
from workbench.jobs.bulk._plan import Part

_LOG = logging.getLogger(__name__)
TRIES = 3
_SLOW, _PATIENCE = 3.0, 10.0
"""The last parts are done twice at once where one takes so many times the median, and so many seconds."""
_IN_A_ROW = 20
"""Parts given up one after the other, with none done in between, that end a run: it is not the parts."""

Outcome = tuple[Task, Record] | Trouble


class Supervisor:
    """Runs all parts. `admit` is shown the facts of every worker, and raises where they do not fit the run."""

    def __init__(
        self,
        crew: Crew,
        parts: Sequence[Part],
        task: Callable[[Part], Task],
        admit: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._crew, self._task, self._admit = crew, task, admit
        self._queue, self._open = deque(parts), {part.number for part in parts}
        self._tries: Counter[int] = Counter()
        self._workers: set[int] = set()
        self._idle: set[int] = set()
        self._doing: dict[int, tuple[Task, float]] = {}
        self._seconds: list[float] = []
        self._never_ready = self._given_up = 0

    def outcomes(self) -> Iterator[Outcome]:
        """One outcome for each part, as they come. Raises RunStopped where no part could be done any more."""
        while self._open:
            while len(self._workers) < min(self._crew.size, len(self._open)):
                self._workers.add(self._crew.hire())
            self._give_out()
            for event in self._crew.wait(1.0):
                if (outcome := self._hear(event.worker, event.what)) is not None:
                    yield outcome

    def _give_out(self) -> None:
        for worker in sorted(self._idle):
            part = self._queue.popleft() if self._queue else self._straggler()
            if part is None:
                return
            task = self._task(part)
            self._doing[worker] = (task, time.monotonic())
            self._idle.discard(worker)
            self._crew.give(worker, task)

    def _straggler(self) -> Part | None:
        """A part that one worker alone has had for much longer than parts take."""
        held = Counter(task.part.number for task, _ in self._doing.values())
        limit = max(_PATIENCE, _SLOW * median(self._seconds or [0.0]))
        for task, began in self._doing.values():
            alone = held[task.part.number] == 1 and task.part.number in self._open
            if alone and time.monotonic() - began > limit:
                return task.part
        return None

    def _hear(self, worker: int, what: Ready | Record | Trouble | Gone) -> Outcome | None:
        if isinstance(what, Ready):
            self._admit(what.facts)
            self._never_ready = 0
            self._idle.add(worker)
            return None
        task, began = self._doing.pop(worker, (None, 0.0))
        if isinstance(what, Gone):
            self._workers.discard(worker)
            self._idle.discard(worker)
            if task is None:
                self._never_ready += 1
                if self._never_ready >= TRIES * self._crew.size:  # none has begun meanwhile
                    raise RunStopped(f"workers end before they begin: {what.reason}")
                return None
            return self._again(task.part, what.reason)
        self._idle.add(worker)
        assert task is not None
        if isinstance(what, Trouble):
            if what.ends_all:
                raise RunStopped(f"{what.reason}; mend that, and give the same command again")
            return self._again(task.part, what.reason)
        if what.part not in self._open:  # another worker was quicker
            return None
        self._open.discard(what.part)
        self._seconds.append(time.monotonic() - began)
        self._given_up = 0
        return task, what

    def _again(self, part: Part, reason: str) -> Trouble | None:
        """Another try, behind all other parts; after the last one the part is given up."""
        if part.number not in self._open or any(task.part == part for task, _ in self._doing.values()):
            return None
        self._tries[part.number] += 1
        if self._tries[part.number] < TRIES:
            _LOG.warning("%s is done again: %s", part.file, reason)
            self._queue.append(part)
            return None
        self._open.discard(part.number)
        self._given_up += 1
        if self._given_up >= _IN_A_ROW:
            raise RunStopped(f"{self._given_up} parts in a row cannot be done, the last: {reason}")
        return Trouble(part.number, f"{reason} (tried {TRIES} times)")
