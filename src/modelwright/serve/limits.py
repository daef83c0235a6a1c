"""Bounds that the operating system keeps for a process."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
from collections.abc import Mapping

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


_begun: int | None = None


def limit_memory(gigabytes: float) -> None:
    """Let the process take so much memory beyond what it had when it was first limited.

    Where the system cannot say so, nothing is limited.
    """
    global _begun  # of the process, as its limit is
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError, StopIteration):
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmData:"))
        if _begun is None:
            _begun = int(line.split()[1]) * 1024
        most = _begun + int(gigabytes * 1e9)
        _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
        if hardest == resource.RLIM_INFINITY or most < hardest:
            resource.setrlimit(resource.RLIMIT_DATA, (most, hardest))


def thread_bounds(cores: float, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the threads of numeric libraries bounded by the cores kept for them.

    A bound that is set already stays.
    """
    threads = str(max(1, round(cores)))
    return {**dict.fromkeys(_THREAD_VARIABLES, threads), **environment}
