"""Processes by number and start time: the number alone may belong to another one by now."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was seen.  started: when it began, by the system's clock."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has the number now.  Raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time())

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Process:
        """Read what `to_json` wrote."""
        return cls(int(value[0]), float(value[1]))

    def to_json(self) -> list[Any]:
        """The process as JSON."""
        return [self.pid, self.started]

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > 1.0:
                return False
            if process.status() != psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return False
        self.bury()
        return False

    def cpu_seconds(self) -> float:
        """Processor time it has used; 0 when it is gone."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def bury(self, *, wait: bool = False) -> None:
        """Take note that it has ended, if it was started from here."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0 if wait else os.WNOHANG)


def start_apart(
    command: Sequence[str],
    environment: dict[str, str],
    *,
    output: str | None = None,
    hands_over: Sequence[int] = (),
) -> int:
    """Start a program in a session of its own, so that it outlives this one; its process number.

    output: file for what it prints; None for where this process prints.  hands_over: descriptors
    that it gets under the same numbers.
    """
    for descriptor in hands_over:
        os.set_inheritable(descriptor, True)
    actions: list[Any] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    if output is not None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions += [
            (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
    try:
        # Not `subprocess`: that would call a process that outlives this one a leak.
        return os.posix_spawn(
            command[0], list(command), environment, file_actions=actions, setsid=True
        )
    finally:
        for descriptor in hands_over:
            os.set_inheritable(descriptor, False)
