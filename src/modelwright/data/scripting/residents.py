"""Processes of scripts: one for a single use, or one that stays for the next request."""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

_MOST = 8


class Closable(Protocol):
    """A process that can be kept."""

    log: Callable[[str], None]

    @property
    def is_there(self) -> bool:
        """Whether it can be asked."""
        ...

    def close(self) -> None:
        """End it."""
        ...


P = TypeVar("P", bound=Closable)

_Key = tuple[Any, ...]

# What the process was made of is kept with it, so that its place in memory names it for as long.
_staying: OrderedDict[_Key, tuple[Closable, tuple[object, ...]]] = OrderedDict()
_lock = threading.Lock()


@contextmanager
def borrowed(
    make: Callable[[], P],
    *,
    named: tuple[Any, ...],
    of: tuple[object, ...] = (),
    log: Callable[[str], None],
    keep: bool,
) -> Iterator[P]:
    """The process of a script, for a while.

    make: a new one.  named: what tells it from others, beside the very objects in `of`.  keep: it stays
    for the next one who wants the same; nobody else has it meanwhile.
    """
    key = (os.getpid(), *named, *map(id, of))
    # What is under the key was made by an equal `make`.
    found: Any = (_taken(key) if keep else None) or make()
    found.log = log
    try:
        yield found
    finally:
        if keep and found.is_there:
            _put_back(key, found, of)
        else:
            found.close()


def _taken(key: _Key) -> Closable | None:
    with _lock:
        process, _ = _staying.pop(key, (None, None))
    return process if process is not None and process.is_there else None


def _put_back(key: _Key, process: Closable, of: tuple[object, ...]) -> None:
    with _lock:
        former = _staying.pop(key, None)
        _staying[key] = (process, of)
        gone = [former] if former else []
        while len(_staying) > _MOST:
            gone.append(_staying.popitem(last=False)[1])
    for closed, _ in gone:
        closed.close()


@atexit.register
def _end_all() -> None:
    with _lock:
        own = [k for k in _staying if k[0] == os.getpid()]
        gone = [_staying.pop(k) for k in own]
    for process, _ in gone:
        process.close()
