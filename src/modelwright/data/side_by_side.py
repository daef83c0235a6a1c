"""Work on parts of a table by several threads, for work that leaves the interpreter to others meanwhile.

As many threads as Polars has, which those who start a process bound.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import polars as pl

Item = TypeVar("Item")
Found = TypeVar("Found")

# Work within such work would only wait for the same threads.
_here = threading.local()

WORTH = 1 << 17
"""Less than so many values are done sooner than another thread has begun."""


def side_by_side(
    work: Callable[[Item], Found], items: Iterable[Item], *, values: int
) -> Sequence[Found]:
    """What the work makes of each item, in their order; the costly ones should come first.

    values: how many numbers or texts are looked at in all.  Raises what the work raises.
    """
    given = list(items)
    more = min(len(given), pl.thread_pool_size()) - 1
    if more <= 0 or values < WORTH or getattr(_here, "busy", False):
        return [work(item) for item in given]
    left = deque(range(len(given)))
    found: dict[int, Found] = {}

    def go_on() -> None:
        _here.busy = True
        try:
            while left:
                try:
                    at = left.popleft()
                except IndexError:
                    return
                found[at] = work(given[at])
        finally:
            _here.busy = False

    pool = _threads(os.getpid())
    others = [pool.submit(go_on) for _ in range(more)]
    try:
        go_on()
    finally:
        left.clear()
        # One that has not begun has nothing left to do.
        begun = [other for other in others if not other.cancel()]
        for other in begun:
            other.result()
    return [found[at] for at in range(len(given))]


@cache
def _threads(process: int) -> ThreadPoolExecutor:
    """The threads of this process; a fork has none of those of its parent."""
    return ThreadPoolExecutor(max(1, pl.thread_pool_size() - 1), "side-by-side")
