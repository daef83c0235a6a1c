"""Requests that come at the same moment, answered together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

FEWEST = 4
"""Open connections from which others may have asked at the same moment; fewer are answered one by one."""

MOST = 64
"""Requests that are answered together at the most."""


class Gathered(NamedTuple):
    """A request.  given: the id that its sender has given it.  came: by `time.perf_counter`."""

    given: bytes
    body: bytes
    came: float


Answered = tuple[bytes, bytes] | None
"""The id of a request and its reply; None for one that has to go the longer way."""


class Asker(Protocol):
    """A connection that waits for an answer."""

    def take(self, body: bytes, answered: Answered) -> None:
        """What became of its request."""
        ...


class Gathering:
    """What has come since the event loop last looked at its sockets.

    Nobody waits longer for that: the loop reads from all sockets before it writes to any, so that all that
    has come by then is answered together.
    """

    def __init__(self, answer: Callable[[Sequence[Gathered]], list[Answered]]) -> None:
        self._answer = answer
        self._askers: list[Asker] = []
        self._requests: list[Gathered] = []

    def add(self, asker: Asker, given: bytes, body: bytes, loop: asyncio.AbstractEventLoop) -> None:
        """Take in a request.  given: the id that came with it."""
        askers = self._askers
        if not askers:
            loop.call_soon(self.flush)
        askers.append(asker)
        self._requests.append(Gathered(given, body, time.perf_counter()))
        if len(askers) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Answer all that has come."""
        askers, requests = self._askers, self._requests
        if not askers:
            return
        self._askers, self._requests = [], []
        for asker, request, answered in zip(askers, requests, self._answer(requests), strict=True):
            asker.take(request.body, answered)
