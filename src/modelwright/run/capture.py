"""A step's prints: into its log file as they come, and line by line to whoever watches."""

from __future__ import annotations

import ctypes
import faulthandler
import io
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from itertools import count
from pathlib import Path
from typing import BinaryIO, Protocol

Tell = Callable[[tuple[str, ...], int], None]
"""Takes new lines, and how many before them are left out."""

LARGEST_LOG = 64 << 20
"""Bytes after which a step's log is cut off."""

_MOST_LINES = 200
_LONGEST_LINE = 2000
_LOOK_EVERY_S = 0.1
_CHUNK = 1 << 20
_AT_A_LOOK = 8


class Capture(Protocol):
    """Sends what is written while a step runs to the step's log."""

    def to(self, log: Path, tell: Tell) -> AbstractContextManager[None]:
        """While it lasts, prints go to the file, which is made anew, and new lines are told of."""
        ...


class Follower:
    """Reads a file that grows, and tells of its new lines, of many only the last ones."""

    def __init__(self, file: BinaryIO, tell: Tell) -> None:
        self._file = file
        self._tell = tell
        self._rest = b""

    def look(self, *, last: bool = False) -> None:
        """Tell of what is new; with `last` also of a line that has no end yet."""
        kept: deque[bytes] = deque(maxlen=_MOST_LINES)
        found = 0
        # Of a file that grows as fast as it is read, the end is not waited for.
        for chunk in self._chunks(None if last else _AT_A_LOOK):
            lines = (self._rest + chunk).split(b"\n")
            # A line without an end must not gather in memory.
            self._rest = lines.pop()[-_CHUNK:]
            found += len(lines)
            kept.extend(lines)
        if last and self._rest:
            kept.append(self._rest)
            found += 1
        if kept:
            self._tell(tuple(map(_shown, kept)), found - len(kept))

    def _chunks(self, most: int | None) -> Iterator[bytes]:
        numbers = count() if most is None else range(most)
        for _ in numbers:
            if not (chunk := self._file.read(_CHUNK)):
                return
            yield chunk


class Descriptors:
    """Captures a whole process: what native code and child processes write, too."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
        self._streams = sys.stdout, sys.stderr
        self._own = os.dup(1)
        self._flush_native = _line_buffered_native()
        # It writes to descriptor 2, so a crash leaves its traceback in the log of the step.
        faulthandler.enable(all_threads=False)

    @contextmanager
    def to(self, log: Path, tell: Tell) -> Iterator[None]:
        """While it lasts, descriptors 1 and 2 lead to the file."""
        self._flush()
        descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)
        over = threading.Event()
        with log.open("rb") as file:
            follower = Follower(file, tell)
            watcher = threading.Thread(
                target=self._watch, args=(follower, log, over), name="log", daemon=True
            )
            watcher.start()
            try:
                yield
            finally:
                # The watcher may still turn the descriptors elsewhere.
                over.set()
                watcher.join()
                self._flush()
                os.dup2(self._own, 1)
                os.dup2(self._own, 2)
                follower.look(last=True)

    def _watch(self, follower: Follower, log: Path, over: threading.Event) -> None:
        cut = False
        while not over.wait(_LOOK_EVERY_S):
            follower.look()
            if not cut and log.stat().st_size > LARGEST_LOG:
                cut = True
                os.write(1, f"\nThe log is cut off here, at {LARGEST_LOG >> 20} MiB.\n".encode())
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
                os.close(nowhere)

    def _flush(self) -> None:
        # The step's code may have put streams of its own in their place.
        for stream in (sys.stdout, sys.stderr, *self._streams):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        sys.stdout, sys.stderr = self._streams
        self._flush_native()


class Prints:
    """Captures what Python code prints, for steps that run within another program."""

    @contextmanager
    def to(self, log: Path, tell: Tell) -> Iterator[None]:
        """While it lasts, `sys.stdout` and `sys.stderr` lead to the file, in all threads."""
        with log.open("w", encoding="utf-8", errors="backslashreplace", buffering=1) as file:
            try:
                with redirect_stdout(file), redirect_stderr(file):
                    yield
            finally:
                file.flush()
                with log.open("rb") as written:
                    Follower(written, tell).look(last=True)


def _shown(line: bytes) -> str:
    # A progress bar writes over its own line: the last state counts.
    text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
    return text if len(text) <= _LONGEST_LINE else text[:_LONGEST_LINE] + "…"


def _line_buffered_native() -> Callable[[], object]:
    """Have C's own output written line by line; the function that writes what is left."""
    try:
        c = ctypes.CDLL(None)
        out = ctypes.c_void_p.in_dll(c, "__stdoutp" if sys.platform == "darwin" else "stdout")
        c.setvbuf(out, None, 1, ctypes.c_size_t(0))
    except (OSError, ValueError, AttributeError):
        return lambda: None
    return lambda: c.fflush(None)
