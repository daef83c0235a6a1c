"""Bounds that the operating system keeps for a process."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwright.serve import groups
from modelwright.serve.groups import Group

_PR_SET_PDEATHSIG = 1

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def die_with_parent() -> None:
    """Have the process killed when its parent ends, however that ends; on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(slots=True)
class _Bound:
    """How the memory of this process is bounded.  begun: bytes of data that it had at first.

    ended: how many processes that this one has started had ended for lack of memory at the last look.
    """

    by: str = "none"
    gigabytes: float = 0.0
    group: Group | None = None
    begun: int | None = None
    ended: int = 0


_bound = _Bound()


def limit_memory(gigabytes: float) -> None:
    """Let the process take so much memory beyond what it had when it was first limited.

    By a control group where it can have one of its own, else by a limit of the process, which counts what is reserved
    and not used as well.  Where the system cannot say either, nothing is limited.
    """
    most = int(gigabytes * 1e9)
    if _bound.by == "none":
        _bound.group = groups.join(most)
    elif _bound.group is not None:
        with contextlib.suppress(OSError):
            _bound.group.bound(most)
            _bound.gigabytes = gigabytes
        return
    if _bound.group is not None:
        _bound.by, _bound.gigabytes = "cgroup", gigabytes
    else:
        _limit_data(most)


def memory_bound() -> dict[str, Any]:
    """How the memory of this process is bounded: by "cgroup", "rlimit" or "none", and at how many gigabytes."""
    return {"by": _bound.by, "gb": _bound.gigabytes}


def was_short() -> bool:
    """Whether a process that this one has started was ended for lack of memory, since the last look."""
    if _bound.group is None:
        return False
    before, _bound.ended = _bound.ended, _bound.group.ended
    return _bound.ended > before


def _limit_data(most: int) -> None:
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError, StopIteration):
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmData:"))
        if _bound.begun is None:
            _bound.begun = int(line.split()[1]) * 1024
        whole = _bound.begun + most
        _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
        if hardest == resource.RLIM_INFINITY or whole < hardest:
            resource.setrlimit(resource.RLIMIT_DATA, (whole, hardest))
            _bound.by, _bound.gigabytes = "rlimit", most / 1e9


def thread_bounds(cores: float, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the threads of numeric libraries bounded by the cores kept for them.

    A bound that is set already stays.
    """
    threads = str(max(1, round(cores)))
    return {**dict.fromkeys(_THREAD_VARIABLES, threads), **environment}
