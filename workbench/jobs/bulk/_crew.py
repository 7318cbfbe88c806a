"""Crew: workers that do one part at a time. Here: one worker, in this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.errors import WorkbenchError
from workbench.jobs.bulk._part import Job, PartWorker, Record, Task, Trouble


class RunStopped(WorkbenchError, RuntimeError):
    """A run that cannot go on; what it has done stays, and the same command goes on from there."""


@dataclass(frozen=True)
class Ready:
    """A worker whose model is open, with the facts that must be alike in all."""

    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Gone:
    """A worker that ended without being asked to."""

    reason: str


@dataclass(frozen=True)
class Event:
    """What a worker has to tell."""

    worker: int
    what: Ready | Record | Trouble | Gone


class Crew(ABC):
    """At most `size` workers, hired by number. Closing ends them, whatever they do."""

    size: int

    @abstractmethod
    def hire(self) -> int:
        """Begin a worker; it is Ready later, or Gone."""

    @abstractmethod
    def give(self, worker: int, task: Task) -> None:
        """Let a worker that has nothing to do begin a part."""

    @abstractmethod
    def wait(self, seconds: float) -> list[Event]:
        """What workers told since; waits at most so long for a first word. Raises RunStopped for a model that does not
        open."""

    @abstractmethod
    def close(self) -> None:
        """End all workers."""


class Own(Crew):
    """This process. Errors in opening the model are raised as they are."""

    def __init__(self, job: Job) -> None:
        self.size, self._job = 1, job
        self._worker: PartWorker | None = None
        self._told: list[Event] = []
        self._task: Task | None = None

    def hire(self) -> int:
        """Open the model."""
        self._worker = PartWorker(self._job)
        self._told.append(Event(0, Ready(self._worker.facts)))
        return 0

    def give(self, worker: int, task: Task) -> None:
        """Keep it in mind."""
        self._task = task

    def wait(self, seconds: float) -> list[Event]:
        """Do it."""
        if self._worker is not None and self._task is not None:
            task, self._task = self._task, None
            self._told.append(Event(0, self._worker.attempt(task)))
        told, self._told = self._told, []
        return told

    def close(self) -> None:
        """Nothing runs by itself."""
        self._worker = None
