"""The log of a replica: lines with a time, in files that are turned over before they grow large."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

LARGEST = 5_000_000
"""Bytes after which a log is put aside."""

KEPT = 3
"""Former logs that are kept, as NAME.1 …"""

_output = logging.getLogger("modelwright.output")


def log_to(path: Path | None) -> None:
    """Send the log to a file, or to standard error for None.

    With a file, what scripts and libraries print goes there too, a line at a time.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    handler: logging.Handler
    if path is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    line = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s")
    line.converter = time.gmtime
    line.default_time_format, line.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03d"
    handler.setFormatter(line)
    root.handlers = [handler]
    # Every word of uvicorn's at start is said better by the replica.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if path is not None:
        _take_in_prints()


def _take_in_prints() -> None:
    """Make standard output and error, also those of child processes, lines of the log."""
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    os.close(writing)
    threading.Thread(target=_read_prints, args=(reading,), daemon=True, name="prints").start()


def _read_prints(descriptor: int) -> None:
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as prints:
        for text in prints:
            _output.info("%s", text.rstrip())
