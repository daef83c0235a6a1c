"""How much memory this process grew by while something ran."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"


class PeakMemory:
    """Measures from the moment it is made.

    On Linux the growth is that of this span alone; elsewhere only a new record of the process shows.
    """

    def __init__(self) -> None:
        self._exact = True
        try:
            _CLEAR.write_text(_FORGET_PEAK)
        except OSError:
            self._exact = False
        self._before = _resident("VmRSS") if self._exact else _record()

    def growth(self) -> int | None:
        """Bytes by which resident memory was above its start at the most; None when unknown."""
        peak = _resident("VmHWM") if self._exact else _record()
        if peak is None or self._before is None:
            return None
        return max(0, peak - self._before)


def _resident(field: str) -> int | None:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return None


def _record() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
