"""A process that has loaded what scripts need, and forks one for each script.

    python -m modelwright.data.scripting.host DESCRIPTOR

Over the Unix socket DESCRIPTOR come pairs of descriptors: the line of a new process, on which it
gets its jobs (see `jobs`), and where it prints.  It takes hundredths of a second, where a new
interpreter with pandas takes a second or more.  The host ends with whoever holds the socket, and its
processes end with the host.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
from importlib import import_module
from typing import TextIO

from modelwright.data.scripting import jobs, lines

_LOADED = ("pyarrow", "pandas")
_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    """Fork until the socket is closed."""
    serve(socket.socket(fileno=int(sys.argv[1])))


def serve(control: socket.socket) -> None:
    """Load what scripts need, say so, and fork until the other end of the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The kernel takes note of ended children: nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in _LOADED:
        # What is not installed is told of by the script that wants it.
        with contextlib.suppress(ImportError):
            import_module(name)
    host = os.getpid()
    control.sendall(b"r")
    while True:
        told, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not told:
            return
        if os.fork() == 0:
            control.close()
            try:
                _work(host, *descriptors)
            finally:
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _work(host: int, line: int, out: int) -> None:
    """Be the process of a script: do its jobs until the line ends."""
    os.setsid()
    _end_with(host)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    os.close(out)
    # Made anew, so that nothing of the host is left in their buffers.
    sys.stdout, sys.stderr = _written(1), _written(2)
    channel = socket.socket(fileno=line)
    lines.send(channel, {"process": os.getpid()})
    work = jobs.Jobs()
    while (message := lines.receive(channel)) is not None:
        answer = work.do(message)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        with contextlib.suppress(OSError):
            os.write(1, f"\n{message['mark']}\n".encode())
        lines.send(channel, answer)


def _written(descriptor: int) -> TextIO:
    return os.fdopen(
        os.dup(descriptor), "w", buffering=1, encoding="utf-8", errors="backslashreplace"
    )


def _end_with(host: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != host:
        os._exit(1)


if __name__ == "__main__":
    main()
