"""One temporary folder for each process, gone when the process ends, and swept by others when it was killed.

Whatever lies only for a while is made below `place()`.  The folder is locked as long as its process lives,
so that nobody mistakes it for one that was left behind; the lock goes with the process, however that ends.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = re.compile(r"modelwright-\d+-\w+")

_making = threading.Lock()
# The folder of this process, and the descriptor that holds its lock.
_own: tuple[Path, int] | None = None


def place() -> Path:
    """The folder of this process for what lies only for a while; made, and others swept, when first asked for."""
    global _own  # of the process, as the folder is
    with _making:
        if _own is None or not _own[0].is_dir():
            _give_up()
            parent = Path(tempfile.gettempdir())
            sweep(parent)
            _own = _made(parent)
        return _own[0]


@contextmanager
def passing(below: Path) -> Iterator[Path]:
    """A folder that lies below another one for as long as this lasts; what killed ones left there is swept."""
    sweep(below)
    path, descriptor = _made(below)
    try:
        yield path
    finally:
        _removed(path, descriptor)


def clear() -> None:
    """Remove all that this process has at its place; for those that end without the usual steps."""
    with _making:
        _give_up()


def sweep(below: Path | None = None) -> None:
    """Remove what processes have left that were killed; nothing of one that lives.

    below: where to look; by default where all temporary files are.
    """
    for path in (below or Path(tempfile.gettempdir())).glob("modelwright-*-*"):
        if not _NAME.fullmatch(path.name):
            continue
        try:
            if path.lstat().st_uid != os.geteuid():
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            # Another one was quicker.
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except OSError:
            # Its process lives, or this file system knows no locks.
            pass
        finally:
            os.close(descriptor)


def _made(parent: Path) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"modelwright-{os.getpid()}-", dir=parent))
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.path.samestat(os.fstat(descriptor), path.stat())
        except (BlockingIOError, FileNotFoundError):
            # One that sweeps came between; it takes this one, and there is another.
            is_there = False
        except OSError:
            # This file system knows no locks, so nobody sweeps there either.
            is_there = True
        if is_there:
            return path, descriptor
        os.close(descriptor)


def _removed(path: Path, descriptor: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(descriptor)


def _give_up() -> None:
    global _own
    if _own is not None:
        _removed(*_own)
    _own = None


def _begin_anew() -> None:
    """In a forked process: what there is belongs to the other one."""
    global _making, _own
    _making = threading.Lock()
    if _own is not None:
        os.close(_own[1])
    _own = None


os.register_at_fork(after_in_child=_begin_anew)
atexit.register(clear)
