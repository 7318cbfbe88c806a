"""Asking a server again while its connection is gone"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from workbench.core.errors import BadInput, FetchError

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Lost(Exception):
    """A failure that may pass: no connection, or a server that says it is busy. Its message holds no password."""


@dataclass(frozen=True)
class Patience:
    """Repeats a call that is Lost, `retries` times with exponential waits of at most ten seconds."""

    name: str
    retries: int

    def first(self, call: Callable[[], _T]) -> _T:
        """The first call of a reading: a server that is not there is told at once, as BadInput."""
        try:
            return call()
        except Lost as error:
            raise BadInput(f"{self.name} cannot be reached: {error}") from None

    def again(self, call: Callable[[], _T]) -> _T:
        """A call in mid-reading; raises FetchError once patience ends."""
        repeat = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Lost),
            stop=tenacity.stop_after_attempt(self.retries + 1),
            wait=tenacity.wait_exponential(multiplier=0.25, max=10) + tenacity.wait_random(0, 0.25),
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            return repeat(call)
        except Lost as error:
            raise FetchError(
                f"{self.name} was lost and did not come back in {self.retries + 1} tries: {error}"
            ) from None

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _LOG.warning("%s is gone (%s); asking again", self.name, error)
