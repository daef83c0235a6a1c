"""The log of an endpoint: one file for all its processes, turned over before it grows large."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from pathlib import Path

LARGEST = 5_000_000
"""Bytes after which a log is put aside."""

KEPT = 3
"""Former logs that are kept, as NAME.1 …"""


def log_to(path: Path | None) -> None:
    """Send the log to a file, or to standard error for None.

    With a file, all that this process and its children print goes there too.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appended to as a whole line each, so that several processes can share it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.close(handle)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    line = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s[%(process)d]: %(message)s")
    line.converter = time.gmtime
    line.default_time_format, line.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03d"
    handler.setFormatter(line)
    root.handlers = [handler]
    # Every word of uvicorn's at start is said better by the replica.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def turn_over(path: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
    """Put a log aside when it is large, and begin it anew; for one process to do.

    The file stays the same one, since other processes have it open.  What they write in the moment
    between copying and emptying is lost.
    """
    try:
        if path.stat().st_size <= largest:
            return
    except FileNotFoundError:
        return
    former = [path.with_name(f"{path.name}.{n}") for n in range(1, kept + 1)]
    for newer, older in zip(reversed(former[:-1]), reversed(former[1:]), strict=True):
        if newer.exists():
            newer.replace(older)
    shutil.copyfile(path, former[0])
    os.truncate(path, 0)
