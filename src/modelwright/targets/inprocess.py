"""A target with one worker that is this very process: for tests and small tools."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from modelwright.targets.contract import Delivery, Free, Message, Session, WorkerId

Answer = Callable[[int, bytes], None]
"""Sends a message to the session of that number."""

Program = Callable[[int, bytes], None]
"""Handles a message from the session of that number."""


class InProcess:
    """Handles each message where it is sent, before `send` returns.

    program: makes the worker's program, given the way to answer.  A worker cannot be killed here, so
    what was begun is finished.  Not safe to use from several threads at a time.
    """

    def __init__(self, program: Callable[[Answer], Program], *, name: str = "in-process") -> None:
        self._name = name
        self._here = WorkerId(name)
        self._program = program(self._answer)
        self._numbers = itertools.count(1)
        self._sessions: dict[int, Callable[[Delivery], None]] = {}
        self._taken_by: int | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    @property
    def most(self) -> int:
        """One."""
        return 1

    def session(self, deliver: Callable[[Delivery], None]) -> Session:
        """Begin to use the worker."""
        number = next(self._numbers)
        self._sessions[number] = deliver
        return _HereSession(self, number)

    def close(self) -> None:
        """Nothing is running, so nothing is ended."""

    def _answer(self, number: int, body: bytes) -> None:
        if deliver := self._sessions.get(number):
            deliver(Message(self._here, body))


class _HereSession:
    def __init__(self, target: InProcess, number: int) -> None:
        self._target = target
        self._number = number

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        target = self._target
        if target._taken_by is not None or (wanted is not None and target._here not in wanted):
            return None
        target._taken_by = self._number
        return target._here

    def grow(self) -> bool:
        return False

    def send(self, worker: WorkerId, body: bytes) -> None:
        self._target._program(self._number, body)

    def free(self, worker: WorkerId) -> None:
        target = self._target
        if target._taken_by == self._number:
            target._taken_by = None
            for number, deliver in target._sessions.items():
                if number != self._number:
                    deliver(Free())

    def kill(self, worker: WorkerId) -> None:
        pass

    def close(self) -> None:
        self._target._sessions.pop(self._number, None)
        if self._target._taken_by == self._number:
            self._target._taken_by = None
