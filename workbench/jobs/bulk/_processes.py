"""A crew of processes on this machine; one that is killed is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from threadpoolctl import threadpool_limits

from workbench.core.memory import keep_freed_memory
from workbench.jobs.bulk._crew import Crew, Event, Gone, Ready, RunStopped
from workbench.jobs.bulk._part import Job, PartWorker, Record, Task, Trouble


@dataclass(frozen=True)
class _Refused:
    """Why the model does not open."""

    reason: str


class Processes(Crew):
    """Spawned, not forked: torch and Arrow hold threads. Each has its share of the cores."""

    def __init__(self, job: Job, size: int) -> None:
        self.size, self._job = size, job
        self._threads = max(1, len(os.sched_getaffinity(0)) // size) if hasattr(os, "sched_getaffinity") else 1
        self._hands: dict[int, tuple[SpawnProcess, Connection]] = {}
        self._hired = 0

    def hire(self) -> int:
        """Begin a process."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._job, self._threads), daemon=True)
        process.start()
        theirs.close()  # so that its end is the end of the pipe
        self._hired += 1
        self._hands[self._hired] = (process, ours)
        return self._hired

    def give(self, worker: int, task: Task) -> None:
        """Send it; that a process is gone, `wait` tells."""
        try:
            self._hands[worker][1].send(task)
        except OSError:
            return

    def wait(self, seconds: float) -> list[Event]:
        """Answers, and pipes that have ended."""
        worker_of = {pipe: worker for worker, (_, pipe) in self._hands.items()}
        return [self._heard(worker_of[pipe], pipe) for pipe in wait(list(worker_of), seconds)]  # pyright: ignore[reportArgumentType]

    def close(self) -> None:
        """Kill: a worker owns nothing that its death could damage."""
        for process, pipe in self._hands.values():
            process.kill()
            process.join()
            pipe.close()
        self._hands.clear()

    def _heard(self, worker: int, pipe: Connection) -> Event:
        try:
            what: Ready | Record | Trouble | _Refused = pipe.recv()
        except (EOFError, OSError):
            process, _ = self._hands.pop(worker)
            process.join()
            pipe.close()
            return Event(worker, Gone(_ending(process.exitcode or 0)))
        if isinstance(what, _Refused):
            raise RunStopped(what.reason)
        return Event(worker, what)


def _work(pipe: Connection, job: Job, threads: int) -> None:
    """What a process does until the pipe ends, or until its parent does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of libraries that are loaded from here on
    keep_freed_memory()
    with threadpool_limits(threads):
        try:
            worker = PartWorker(job)
        except Exception as error:
            pipe.send(_Refused(str(error) or type(error).__name__))
            return
        pipe.send(Ready(worker.facts))
        while True:
            try:
                task = pipe.recv()
            except EOFError:
                return
            pipe.send(worker.attempt(task))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _ending(code: int) -> str:
    if code < 0:
        return f"its worker was ended by {signal.Signals(-code).name}"
    return f"its worker ended with code {code}"
