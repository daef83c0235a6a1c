"""Where work can be done: a target has workers, and a session carries messages to and from them.

A target knows nothing of pipelines.  Its workers are processes (or something like them) that read
messages and answer them; what a message means is between the sender and the worker's program.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NewType, Protocol, runtime_checkable

WorkerId = NewType("WorkerId", str)
"""Names a worker within its target; never used again for another one."""


class TargetError(Exception):
    """A target cannot do what it is there for; the text says why.

    kind: what is wrong, for programs: "unreachable", "version", "missing" (what it needs is not
    installed) or empty.
    """

    def __init__(self, text: str, *, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Needs:
    """What work takes of a machine.  memory: bytes, 0 for as little as others."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory: int = 0

    def __str__(self) -> str:
        parts = [f"{self.cpus:g} CPUs" if self.cpus != 1 else "1 CPU"]
        parts += [f"{self.gpus:g} GPUs"] if self.gpus else []
        parts += [f"{self.memory / 1e9:.1f} GB of memory"] if self.memory else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended.

    status: its exit status, negative for the signal that killed it; None when it cannot be known.
    output: the last lines it wrote outside of any step, for people.  lost: its machine is gone, which
    says nothing of the work it did.  starved: it was ended for want of memory.  full: bytes of its
    machine's object store, which had no room for what it made; 0 for other ends.
    """

    status: int | None
    output: str = ""
    lost: bool = False
    starved: bool = False
    full: int = 0

    @property
    def signal(self) -> str | None:
        """The name of the signal that killed it, such as "SIGKILL"."""
        if self.status is None or self.status >= 0:
            return None
        try:
            return signal.Signals(-self.status).name
        except ValueError:
            return f"signal {-self.status}"

    def __str__(self) -> str:
        if self.lost:
            return "lost with its machine"
        if self.starved:
            return "ended for want of memory"
        if self.full:
            return "ended as its machine's object store was full"
        if self.signal:
            return f"killed by {self.signal}"
        return "ended" if self.status is None else f"ended with status {self.status}"


@dataclass(frozen=True, slots=True)
class Message:
    """A worker answers a session."""

    worker: WorkerId
    body: bytes


@dataclass(frozen=True, slots=True)
class Gone:
    """A worker ended, and all it held in memory is lost."""

    worker: WorkerId
    how: Ended


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A worker that was asked for ended before it was ready.  needs: as of `Free`."""

    how: Ended
    needs: Needs | None = None


@dataclass(frozen=True, slots=True)
class Free:
    """A worker came up or was given back: it may be had now.

    needs: with which it was asked for, where workers differ and it just came up.
    """

    needs: Needs | None = None


@dataclass(frozen=True, slots=True)
class Delayed:
    """A worker that was asked for is not up yet; `why`, for people.  needs: as of `Free`."""

    why: str
    needs: Needs | None = None


Delivery = Message | Gone | NotStarted | Free | Delayed


class Session(Protocol):
    """One user's view of a target: a run takes workers, talks to them, and gives them back.

    Deliveries come on threads of the target's own; the receiver must not block.
    """

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        """A worker that nobody has: the first such of `wanted`, any one for None; None if all are busy."""
        ...

    def grow(self) -> bool:
        """Ask for one more worker; False when the target has as many as it may.  Does not wait."""
        ...

    def send(self, worker: WorkerId, body: bytes) -> None:
        """Give a worker a message; one that is gone takes it in silence, as `Gone` tells of it."""
        ...

    def free(self, worker: WorkerId) -> None:
        """Give a taken worker back.  It may still answer."""
        ...

    def kill(self, worker: WorkerId) -> None:
        """End a worker that this session has taken, at once; `Gone` follows."""
        ...

    def close(self) -> None:
        """End the session: nothing is delivered any more, and workers still taken are killed."""
        ...


@runtime_checkable
class ShapedSession(Protocol):
    """A session whose workers differ in what they may take of their machines."""

    def shaped(self, needs: Needs) -> Session:
        """The same session, as far as it is about workers that have what is needed."""
        ...

    @property
    def hands_on(self) -> bool:
        """Whether a value in a worker's memory can be had by the others."""
        ...

    def settle(self, worker: WorkerId) -> None:
        """A worker holds nothing of this session any more that would be lost with it."""
        ...


class Target(Protocol):
    """A place where workers run.  Safe to use from several threads."""

    @property
    def name(self) -> str:
        """What people call it, such as "local"."""
        ...

    @property
    def most(self) -> int:
        """How many workers it may have at a time."""
        ...

    def session(self, deliver: Callable[[Delivery], None]) -> Session:
        """Begin to use the target."""
        ...

    def close(self) -> None:
        """End all workers.  Sessions still open hear that they are gone."""
        ...
