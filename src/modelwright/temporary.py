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
from pathlib import Path

_NAME = re.compile(r"modelwright-\d+-\w+")

_making = threading.Lock()
_folder: Path | None = None
_lock = -1


def place() -> Path:
    """The folder of this process for what lies only for a while; made, and others swept, when first asked for."""
    with _making:
        if _folder is None or not _folder.is_dir():
            _give_up()
            sweep()
            _make()
        assert _folder is not None  # noqa: S101  # just made
        return _folder


def clear() -> None:
    """Remove all that this process has there; for those that end without the usual steps."""
    with _making:
        _give_up()


def sweep() -> None:
    """Remove what processes have left that were killed; nothing of one that lives."""
    for path in Path(tempfile.gettempdir()).glob("modelwright-*-*"):
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
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def _make() -> None:
    global _folder, _lock  # of the process, as the folder is
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"modelwright-{os.getpid()}-"))
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                _folder, _lock = path, descriptor
                return
        except OSError:
            # One that sweeps came between; it takes this one, and there is another.
            pass
        os.close(descriptor)


def _give_up() -> None:
    global _folder, _lock
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
        os.close(_lock)
    _folder, _lock = None, -1


def _begin_anew() -> None:
    """In a forked process: what there is belongs to the other one."""
    global _making, _folder, _lock
    _making = threading.Lock()
    if _lock >= 0:
        os.close(_lock)
    _folder, _lock = None, -1


os.register_at_fork(after_in_child=_begin_anew)
atexit.register(clear)
