"""A crew of Ray actors, on this machine or a cluster; one that is lost with its node is replaced on another.

Ray's own `map` over actors does a part again without end when it kills its worker, so the actors are supervised here.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from workbench.core.errors import BadInput, MissingExtra, first_line
from workbench.core.memory import keep_freed_memory
from workbench.jobs.bulk._crew import Crew, Event, Gone, Ready, RunStopped
from workbench.jobs.bulk._part import Job, PartWorker, Record, Task, Trouble

_HINT = "begin one with `ray start --head`, or use --ray local"


class RayCrew(Crew):
    """One actor a CPU of the cluster (a GPU, where `job.device` is cuda), at most `most` unless it is 0.

    Input and output must lie where every node sees them by the same path. `address` is `auto` (the cluster of this
    machine), `local` (one begun here), or HOST:PORT; a process that is connected already uses its own cluster.
    Raises MissingExtra without Ray, BadInput where there is no cluster.
    """

    def __init__(self, job: Job, address: str, most: int = 0) -> None:
        self._ray = ray = _library()
        self._began = not ray.is_initialized()
        if self._began:
            require_cluster(address)
            _connect(ray, address)
        kind = "GPU" if job.device.startswith("cuda") else "CPU"
        there = int(ray.cluster_resources().get(kind, 0))
        if not there:
            raise BadInput(f"the Ray cluster {address} has no {kind}")
        self.size = min(most or there, there)
        needs = {"num_gpus": 1, "num_cpus": 1} if kind == "GPU" else {"num_cpus": 1}
        self._actor = ray.remote(_Hand).options(max_restarts=0, scheduling_strategy="SPREAD", **needs)
        self._job = ray.put(job)
        self._hands: dict[int, Any] = {}
        self._asked: dict[Any, int] = {}
        self._hired = 0

    def hire(self) -> int:
        """Ask for an actor; where the cluster has no room it is ready when there is."""
        self._hired += 1
        hand = self._actor.remote()
        self._hands[self._hired] = hand
        self._asked[hand.open.remote(self._job)] = self._hired
        return self._hired

    def give(self, worker: int, task: Task) -> None:
        """Call it."""
        self._asked[self._hands[worker].attempt.remote(task)] = worker

    def wait(self, seconds: float) -> list[Event]:
        """Answers, and actors that were lost."""
        told, _ = self._ray.wait(list(self._asked), num_returns=1, timeout=seconds)
        return [self._heard(reference) for reference in told]

    def close(self) -> None:
        """Kill the actors; leave the cluster as it was found."""
        for hand in self._hands.values():
            self._ray.kill(hand)
        self._hands.clear()
        self._asked.clear()
        if self._began:
            self._ray.shutdown()

    def _heard(self, reference: Any) -> Event:
        worker = self._asked.pop(reference)
        try:
            what = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:  # the actor, its node, or the way to it
            self._ray.kill(self._hands.pop(worker))
            return Event(worker, Gone(f"its Ray worker was lost: {first_line(error)}"))
        if isinstance(what, str):
            raise RunStopped(what)
        return Event(worker, what)


class _Hand:
    """What an actor holds: the model, open once."""

    def open(self, job: Job) -> Ready | str:
        """The facts, or why the model does not open."""
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # as the command line sets it here
        keep_freed_memory()
        try:
            self._worker = PartWorker(job)
        except Exception as error:
            return str(error) or type(error).__name__
        return Ready(self._worker.facts)

    def attempt(self, task: Task) -> Record | Trouble:
        """Do a part."""
        return self._worker.attempt(task)


def _library() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anyone
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "ray") from error
    return ray


def require_cluster(address: str) -> None:
    """Raise BadInput where nobody answers: Ray itself asks such a place for six minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host.removeprefix("ray://"), int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise BadInput(f"no Ray cluster answers at {address!r}: {first_line(error)}; {_HINT}") from error
    elif address not in ("auto", "local"):
        raise BadInput(f"a Ray cluster at {address!r}; expected auto, local, or HOST:PORT")


def _connect(ray: Any, address: str) -> None:
    # only who begins a cluster may say whether it has a dashboard
    dashboard = False if address == "local" else None
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", include_dashboard=dashboard)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BadInput(f"no Ray cluster answers at {address!r}: {first_line(error)}; {_HINT}") from error
