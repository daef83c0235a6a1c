"""The worker process: `python -m modelwright.run.worker DESCRIPTOR [PREPARED-MODULE …]`."""

from __future__ import annotations

import ctypes
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module

from modelwright.data.memory import taken
from modelwright.run.capture import Descriptors
from modelwright.run.desk import Desk
from modelwright.run.messages import Begin, Lend, unpacked
from modelwright.run.work import Beside, Work
from modelwright.targets.channel import READY, Channel

_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_IDLE_S = 0.5


def main() -> None:
    """Work until the line ends."""
    descriptor = int(sys.argv[1])
    _end_with_parent()
    # What this process has seen of modules is not what programs started by a step should see.
    os.environ.pop("PYTHONPATH", None)
    channel = Channel.at(descriptor)
    steps: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
    storing = Beside(_amount("MODELWRIGHT_WORKER_UNSTORED", 1 << 30))

    def answer(session: int, body: bytes) -> None:
        with suppress(OSError):
            channel.send(session, body)

    work = Work(
        answer,
        capture=Descriptors(),
        desk=Desk(_amount("MODELWRIGHT_WORKER_MEMORY", 1 << 30)),
        aside=storing,
        threads=_amount("POLARS_MAX_THREADS", os.cpu_count() or 1),
        width=_amount("MODELWRIGHT_WORKERS", 1),
    )
    for module in ("polars", "numpy", "pyarrow"):
        _prepare(module)
    bound_memory(_amount("MODELWRIGHT_WORKER_MOST_MEMORY", 0))
    listener = threading.Thread(target=_listen, args=(channel, work, steps), daemon=True)
    listener.start()
    channel.send(READY, b"")
    modules = os.environ.get("MODELWRIGHT_WORKER_PREPARES", "").split()
    idle: list[Callable[[], None]] = [_prepare_components]
    idle += [partial(_prepare, module) for module in modules]
    while True:
        try:
            session, body = steps.get(timeout=_IDLE_S if idle else None)
        except queue.Empty:
            idle.pop(0)()
            continue
        storing.wait_for_room()
        work.handle(session, body)


def _listen(channel: Channel, work: Work, steps: queue.SimpleQueue[tuple[int, bytes]]) -> None:
    """Take messages as they come, so that a running step is answered and the end is noticed."""
    while True:
        try:
            session, body = channel.receive()
        except EOFError:
            # Whoever wanted the work is gone; nothing half done can be taken for a result.
            os._exit(0)
        if isinstance(unpacked(body), (Begin, Lend)):
            steps.put((session, body))
        else:
            work.handle(session, body)


def _end_with_parent() -> None:
    """Have the kernel end this process with the one that started it, even in the middle of a step."""
    if sys.platform == "linux":
        parent = os.getppid()
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def bound_memory(most: int) -> None:
    """Let this process take so many bytes more, 0 for no bound; asking for more then fails."""
    if most:
        # What the program itself takes is not counted, so its threads and libraries come first.
        _prepare_components()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bound = taken() + most
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))


def _prepare(module: str) -> None:
    with suppress(ImportError):
        import_module(module)


def _prepare_components() -> None:
    """Import every component, and have Polars start its threads."""
    import polars as pl

    from modelwright.components.library import library

    # A component that cannot be imported fails the step that wants it, and says so there.
    with suppress(Exception):
        library().load()
    pl.LazyFrame({"x": [1]}).select(pl.col("x") + 1).collect()
    # Its first column out of Arrow takes room for many.
    with suppress(ImportError):
        import pyarrow as pa

        pl.from_arrow(pa.array([1]))


def _amount(variable: str, otherwise: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else otherwise


if __name__ == "__main__":
    main()
