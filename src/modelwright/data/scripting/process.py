"""The process of a script, as the program sees it that wants the script run."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.data.file_bundle import FileBundle
from modelwright.data.scripting import lines
from modelwright.data.scripting.errors import (
    ScriptEnded,
    ScriptHostFailed,
    ScriptOutOfMemory,
    ScriptTimedOut,
)
from modelwright.data.scripting.host import serve
from modelwright.data.scripting.script import BUNDLE_FOLDER

Log = Callable[[str], None]

ENVIRONMENT = {
    "MPLBACKEND": "Agg",
    # Arrow's own allocator reserves a gigabyte at once, which a limit of memory would count.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Has to stand in the environment before a host loads what scripts need."""

_START_S = 120.0
_MOST_HOSTS = 3

_log = logging.getLogger("modelwright.scripts")
_LONGEST = 1 << 16


class ScriptProcess:
    """A process with one script loaded, for any number of jobs one after another.

    packages: a folder of packages that come before those of this installation.  memory_gb: that it
    may have beyond what is loaded for every script.  The working folder is a fresh one below
    `scratch`, with the bundle's files in it, and is gone when the process is closed.
    Raises the error of the script's top, ScriptTimedOut, ScriptEnded and ScriptHostFailed.
    """

    def __init__(
        self,
        source: str,
        *,
        entry: str,
        bundle: FileBundle | None = None,
        packages: Path | None = None,
        memory_gb: float | None = None,
        time_s: float | None = None,
        scratch: Path | None = None,
        log: Log = lambda line: None,
    ) -> None:
        self._memory_gb = memory_gb
        self.log = log
        self._busy = threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix="script-", dir=scratch or temporary.place()))
        try:
            working = self.folder / "work"
            working.mkdir()
            if bundle is not None:
                bundle.unpack(working / BUNDLE_FOLDER)
            self._line, printed = _host(packages).fork()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._printed = Printed(printed, self._say)
        self.process = 0
        try:
            told = lines.receive(self._line)
            if told is None:
                raise ScriptEnded
            self.process = told["process"]
            self.ask(
                {
                    "do": "open",
                    "source": source,
                    "entry": entry,
                    "folder": str(working),
                    "memory_gb": memory_gb,
                },
                time_s=time_s,
            )
        except BaseException:
            self.close()
            raise

    def ask(self, message: Mapping[str, Any], *, time_s: float | None = None) -> dict[str, Any]:
        """What a job gave, see `jobs`.  Raises what the job raised; after most errors it is closed."""
        mark = secrets.token_hex(16)
        done = self._printed.expect(mark)
        try:
            with self._busy:
                self._line.settimeout(time_s)
                lines.send(self._line, {**message, "mark": mark})
                answer = lines.receive(self._line)
        except TimeoutError:
            self.close()
            raise ScriptTimedOut(time_s or 0) from None
        except OSError:
            answer = None
        if answer is None:
            self.close()
            raise ScriptEnded
        # What was printed before the answer is in the log before the caller goes on.
        done.wait(2.0)
        if "broke" in answer:
            self.close()
            raise RuntimeError(f"the process of a script broke:\n{answer['broke']}")
        if "error" in answer:
            raise self._told(answer["error"])
        gave: dict[str, Any] = answer["gave"]
        return gave

    def _told(self, error: Mapping[str, Any]) -> ModelwrightError:
        if error["code"] == ScriptOutOfMemory.code:
            return ScriptOutOfMemory(self._memory_gb, line=error["fields"].get("line"))
        return ModelwrightError.from_json(error)

    def _say(self, line: str) -> None:
        self.log(line)

    @property
    def is_there(self) -> bool:
        """Whether it can be asked."""
        return self._line.fileno() >= 0

    def close(self) -> None:
        """End the process with all that it started; the files of its folder go, too."""
        if not self.is_there:
            return
        if self.process:
            # It leads a group of its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process, signal.SIGKILL)
        self._line.close()
        self._printed.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Printed:
    """Hands on what a process prints, line by line, and knows the marks between its jobs.

    is_over: nothing comes any more, as the process has ended; marks that did not come are set.
    """

    def __init__(self, descriptor: int, log: Log) -> None:
        self._log = log
        self.is_over = False
        self._marks: dict[str, threading.Event] = {}
        self._thread = threading.Thread(
            target=self._read, args=(descriptor,), name="script's log", daemon=True
        )
        self._thread.start()

    def expect(self, mark: str) -> threading.Event:
        """Set when the mark has come."""
        return self._marks.setdefault(mark, threading.Event())

    def close(self) -> None:
        """Wait a moment for the rest of what was printed."""
        self._thread.join(2.0)

    def _read(self, descriptor: int) -> None:
        blank = False
        with open(descriptor, encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            # A line without an end is handed on in pieces.
            for line in iter(lambda: file.readline(_LONGEST), ""):
                text = line.rstrip("\n").rpartition("\r")[2]
                if event := self._marks.pop(text, None):
                    # The line break before a mark is the mark's own.
                    blank = False
                    event.set()
                    continue
                if blank:
                    self._log("")
                blank = not text
                if text:
                    self._log(text)
        self.is_over = True
        for event in list(self._marks.values()):
            event.set()


class _Host:
    """A running host, see `host`."""

    _process: subprocess.Popen[bytes] | _Child

    def __init__(self, packages: Path | None) -> None:
        self.used = time.monotonic()
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "PYTHONPATH": os.pathsep.join(
                [str(packages)] * bool(packages) + [os.environ.get("PYTHONPATH", "")]
            ).strip(os.pathsep),
        }
        with tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "modelwright.data.scripting.host",
                    str(theirs.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=[theirs.fileno()],
                env=environment,
            )
            theirs.close()
            self._control.settimeout(_START_S)
            try:
                ready = self._control.recv(1)
            except TimeoutError:
                ready = b""
            if not ready:
                self.close()
                said.seek(0)
                text = said.read().decode("utf-8", "replace").strip()
                _log.warning("no process for scripts:\n%s", text)
                raise ScriptHostFailed(
                    text.splitlines()[-1].rstrip(".") if text else "it says nothing"
                )

    @classmethod
    def by_fork(cls, leaves: Sequence[int]) -> Self:
        """A host that is this process once more.  leaves: descriptors that it must not keep."""
        host = cls.__new__(cls)
        host.used = time.monotonic()
        host._lock = threading.Lock()
        host._control, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                host._control.close()
                for descriptor in leaves:
                    os.close(descriptor)
                serve(theirs)
            finally:
                os._exit(0)
        theirs.close()
        host._process = _Child(pid)
        host._control.settimeout(_START_S)
        if not host._control.recv(1):
            host.close()
            raise ScriptHostFailed("it ended at once")
        return host

    @property
    def is_there(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def fork(self) -> tuple[socket.socket, int]:
        """The line to a new process, and where it prints.  Raises ScriptHostFailed."""
        self.used = time.monotonic()
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._control, [b"n"], [theirs.fileno(), write])
        except OSError as error:
            ours.close()
            os.close(read)
            raise ScriptHostFailed(str(error)) from error
        finally:
            theirs.close()
            os.close(write)
        return ours, read

    def close(self) -> None:
        """End it, and with it its processes."""
        self._control.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


class _Child:
    """A forked process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int | None:
        """The same, when it has ended."""
        return self._ended(0)

    def kill(self) -> None:
        """End it.  Raises ProcessLookupError when it has ended."""
        if self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)

    def _ended(self, options: int) -> int | None:
        if self._status is None:
            try:
                pid, status = os.waitpid(self._pid, options)
            except ChildProcessError:
                pid, status = self._pid, 0
            self._status = status if pid else None
        return self._status


_hosts: dict[tuple[int, Path | None], _Host] = {}
_starting = threading.Lock()


def be_host(leaves: Sequence[int]) -> None:
    """Have the scripts of this process run in forks of it as it is now, not in those of a new interpreter.

    For a process that has loaded what scripts need and has a single thread.  Scripts with packages of
    their own still get another.  leaves: descriptors that the host must not keep.
    """
    with _starting:
        _hosts[os.getpid(), None] = _Host.by_fork(leaves)


def _host(packages: Path | None) -> _Host:
    """The host for some packages, started when it is not there."""
    # A forked process must not talk over the lines of the one it comes from.
    key = (os.getpid(), packages)
    with _starting:
        found = _hosts.get(key)
        if found is not None and found.is_there:
            return found
        if found is not None:
            _hosts.pop(key).close()
        own = [k for k in _hosts if k[0] == key[0]]
        if len(own) >= _MOST_HOSTS:
            _hosts.pop(min(own, key=lambda k: _hosts[k].used)).close()
        _hosts[key] = _Host(packages)
        return _hosts[key]


@atexit.register
def _end_hosts() -> None:
    for key in [k for k in _hosts if k[0] == os.getpid()]:
        _hosts.pop(key).close()
