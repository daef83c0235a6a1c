"""Targets whose workers run steps: processes on this machine, or this process itself."""

from __future__ import annotations

import os
from collections.abc import Sequence

from modelwright.run.capture import Prints
from modelwright.run.desk import Desk
from modelwright.run.work import Secrets, Work, at_once
from modelwright.targets.inprocess import InProcess
from modelwright.targets.local import LocalProcesses

_DESK = 256 << 20
# Allocators that keep what was given back, or set much aside in advance, would seem to use it.
ALLOCATORS = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "_RJEM_MALLOC_CONF": "retain:false,dirty_decay_ms:0,muzzy_decay_ms:0,narenas:2",
}
# What a user's code has no business with: it may hold a password.
_NOT_FOR_STEPS = ("MODELWRIGHT_DATABASE_URL",)


def local_workers(
    *,
    name: str = "local",
    least: int = 0,
    most: int | None = None,
    idle_s: float = 120.0,
    memory: int | None = None,
    retries: int = 0,
    longest_step_s: float | None = None,
    threads: int | None = None,
    prepares: Sequence[str] = ("scipy.linalg",),
) -> LocalProcesses:
    """Worker processes on this machine.

    memory: bytes that steps may take in a worker, beside what is mapped from files and what the worker
    itself takes; a step that wants more fails.
    retries: how often a step whose worker crashed is begun again.
    longest_step_s: seconds after which a step is given up.

    threads: that a single step may use; all cores by default, as most pipelines are one chain.  The
    number is the same for every step, so that sums do not change with what else is running.
    prepares: modules that a worker imports when it has nothing to do, besides the components; each takes
    memory in every worker.
    """
    cores = os.cpu_count() or 1
    environment = {
        "POLARS_MAX_THREADS": str(threads or cores),
        "MODELWRIGHT_WORKERS": str(most or cores),
        "MODELWRIGHT_WORKER_PREPARES": " ".join(prepares),
    }
    if memory is not None:
        environment["MODELWRIGHT_WORKER_MOST_MEMORY"] = str(memory)
        environment |= ALLOCATORS
    return LocalProcesses(
        "modelwright.run.worker",
        name=name,
        least=least,
        most=most or cores,
        idle_s=idle_s,
        environment=environment,
        without=_NOT_FOR_STEPS,
        retries=retries,
        longest_step_s=longest_step_s,
    )


def in_process(*, secrets: Secrets | None = None) -> InProcess:
    """Steps run one after another in this process, in the thread of the run; none can be killed."""
    none: Secrets = lambda name: None  # noqa: E731
    return InProcess(
        lambda answer: (
            Work(
                answer,
                capture=Prints(),
                desk=Desk(_DESK),
                aside=at_once,
                secret=secrets or none,
            ).handle
        )
    )
