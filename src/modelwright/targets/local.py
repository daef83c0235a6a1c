"""Worker processes on this machine: a warm pool that grows with the work and shrinks when idle."""

from __future__ import annotations

import itertools
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from modelwright import temporary
from modelwright.targets.channel import READY, Channel
from modelwright.targets.contract import (
    Delivery,
    Ended,
    Free,
    Gone,
    Message,
    NotStarted,
    Session,
    TargetError,
    WorkerId,
)

_TAIL = 4000
_FAREWELL_S = 2.0


@dataclass(eq=False)
class _Process:
    """A worker process, from its start to its end.  Changed only under the pool's lock."""

    id: WorkerId
    popen: subprocess.Popen[bytes]
    channel: Channel
    output: Path
    up: bool = False
    taken_by: int | None = None
    wanted: bool = True
    idle_since: float = 0.0
    seen_by: set[int] = field(default_factory=set)
    listener: threading.Thread | None = None

    def kill(self) -> None:
        """End the process and all that it started.

        It leads a process group of its own, whose number stays its own until it has been waited for.
        """
        if self.popen.returncode is None:
            # macOS answers "not permitted" for a group whose last member has ended.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)

    def has_ended(self) -> bool:
        """Whether it has ended, without taking note of it."""
        import psutil

        try:
            return bool(psutil.Process(self.popen.pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True


class LocalProcesses:
    """Runs a module as worker processes: `python -m MODULE DESCRIPTOR`.

    entry: the module; it opens `Channel.at(DESCRIPTOR)`, sends a message to READY once it is up, and
    ends when the line does.  least, most: how many processes are kept and how many there may be.
    idle_s: an idle one above `least` is ended after so many seconds.  environment: variables added to
    this process's.  without: variables that workers are not to see.  retries: how often work whose
    worker crashed should be begun again, and longest_step_s: how long it may take, for whoever begins it.  The workers see the modules that this process sees, and end when it ends.
    """

    def __init__(
        self,
        entry: str,
        *,
        least: int = 0,
        most: int | None = None,
        idle_s: float = 120.0,
        environment: Mapping[str, str] | None = None,
        without: Collection[str] = (),
        name: str = "local",
        retries: int = 0,
        longest_step_s: float | None = None,
    ) -> None:
        self._entry = entry
        self._name = name
        self.retries = retries
        self.longest_step_s = longest_step_s
        self._most = most if most is not None else max(1, os.cpu_count() or 1)
        self._least = min(least, self._most)
        self._idle_s = idle_s
        self._environment = dict(environment or {})
        self._without = frozenset(without)
        self._lock = threading.Lock()
        self._workers: dict[WorkerId, _Process] = {}
        self._sessions: dict[int, Callable[[Delivery], None]] = {}
        self._numbers = itertools.count(1)
        self._asked = 0
        self._failed: Ended | None = None
        self._closed = False
        self._changed = threading.Condition(self._lock)
        self._orders: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._folder = Path(tempfile.mkdtemp(prefix="workers-", dir=temporary.place()))
        # For a program that ends without closing the pool.
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        # A worker asks the kernel to be ended with the thread that started it, so that thread must
        # live as long as the pool.
        self._keeper = threading.Thread(target=self._keep, name=f"{name} workers", daemon=True)
        self._keeper.start()
        self.warm(self._least, wait=False)

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    @property
    def most(self) -> int:
        """How many processes there may be."""
        return self._most

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are there, oldest first."""
        with self._lock:
            return tuple(w.popen.pid for w in self._workers.values())

    def warm(self, count: int, *, wait: bool = True, timeout_s: float = 60.0) -> None:
        """Have so many workers started, `most` at the most, and by default up before it returns.

        Raises TargetError when one of them ends instead, or they take longer than that.
        """
        count = min(count, self._most)
        with self._lock:
            self._failed = None
            for _ in range(count - len(self._workers) - self._asked):
                self._ask()
            if not wait:
                return
            in_time = self._changed.wait_for(lambda: self._failed or self._up() >= count, timeout_s)
            if self._failed:
                raise TargetError(f"a worker {self._failed}: {self._failed.output}")
            if not in_time:
                raise TargetError(f"{count} workers did not come up in {timeout_s} seconds")

    def _up(self) -> int:
        return sum(w.up for w in self._workers.values())

    def session(self, deliver: Callable[[Delivery], None]) -> Session:
        """Begin to use the workers; deliveries come on the threads that listen to them."""
        with self._lock:
            number = next(self._numbers)
            self._sessions[number] = deliver
        return _LocalSession(self, number)

    def close(self) -> None:
        """End all workers, and wait until they are gone."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._orders.put(False)
        self._keeper.join()
        with self._lock:
            workers = list(self._workers.values())
        for worker in workers:
            worker.channel.hang_up()
        for worker in workers:
            if worker.listener:
                worker.listener.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> LocalProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self) -> bool:
        if self._closed or len(self._workers) + self._asked >= self._most:
            return False
        self._asked += 1
        self._orders.put(True)
        return True

    def _keep(self) -> None:
        """Start what is asked for, and end what has been idle for long; the keeper's thread."""
        while True:
            try:
                more = self._orders.get(timeout=self._until_idle())
            except queue.Empty:
                self._end_idle()
                continue
            if not more:
                return
            with self._lock:
                wanted = not self._closed
                number = next(self._numbers)
            if wanted:
                self._start(number)

    def _until_idle(self) -> float | None:
        with self._lock:
            since = [w.idle_since for w in self._spare()]
        return max(0.01, min(since) + self._idle_s - time.monotonic()) if since else self._idle_s

    def _end_idle(self) -> None:
        with self._lock:
            now = time.monotonic()
            spare = [w for w in self._spare() if now - w.idle_since >= self._idle_s]
            for worker in spare[: max(0, self._kept() - self._least)]:
                worker.wanted = False
                worker.up = False
                worker.channel.hang_up()

    def _kept(self) -> int:
        """How many workers there are, without those that are being ended."""
        return sum(w.wanted for w in self._workers.values())

    def _spare(self) -> list[_Process]:
        """Workers that hold nothing for anybody, longest idle first."""
        if self._kept() <= self._least:
            return []
        open_ones = self._sessions.keys()
        spare = [
            w
            for w in self._workers.values()
            if w.up and w.taken_by is None and not w.seen_by & open_ones
        ]
        return sorted(spare, key=lambda w: w.idle_since)

    def _start(self, number: int) -> None:
        channel, other_end = Channel.pair()
        output = self._folder / f"{number}.txt"
        # However a worker ends, what it has put among the temporary files goes with it.
        own = output.with_suffix("")
        own.mkdir()
        # An empty entry stands for the folder in which this process works.
        paths = [p or str(Path.cwd()) for p in sys.path]
        environment = {
            **{name: value for name, value in os.environ.items() if name not in self._without},
            "TMPDIR": str(own),
            **self._environment,
            "PYTHONPATH": os.pathsep.join(paths),
        }
        command = [sys.executable, "-P", "-m", self._entry, str(other_end.fileno())]
        with output.open("wb") as file, other_end:
            popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=(other_end.fileno(),),
                # A group of its own: Ctrl-C in the terminal is for this process, which then cancels.
                start_new_session=True,
            )
        worker = _Process(WorkerId(f"{self._name}-{number}"), popen, channel, output)
        with self._lock:
            self._asked -= 1
            self._workers[worker.id] = worker
            if self._closed:
                worker.kill()
            worker.listener = threading.Thread(
                target=self._listen, args=(worker,), name=f"listen to {worker.id}", daemon=True
            )
            worker.listener.start()

    def _listen(self, worker: _Process) -> None:
        """Pass on what a worker says until it ends; a thread for each worker."""
        try:
            while True:
                address, body = worker.channel.receive()
                if address == READY:
                    self._is_up(worker)
                elif deliver := self._sessions.get(address):
                    deliver(Message(worker.id, body))
        except EOFError:
            pass
        self._bury(worker)

    def _is_up(self, worker: _Process) -> None:
        with self._lock:
            worker.up = True
            worker.idle_since = time.monotonic()
            self._changed.notify_all()
            listeners = list(self._sessions.values())
        for deliver in listeners:
            deliver(Free())

    def _bury(self, worker: _Process) -> None:
        """Wait for the end of a worker that hung up, tell everybody, and replace it if it is missed."""
        deadline = time.monotonic() + _FAREWELL_S
        while not worker.has_ended() and time.monotonic() < deadline:
            time.sleep(0.005)
        with self._lock:
            # Also what it started itself, even when it ended in order.
            worker.kill()
            status = worker.popen.wait()
        worker.channel.close()
        how = Ended(status, _tail(worker.output))
        worker.output.unlink(missing_ok=True)
        shutil.rmtree(worker.output.with_suffix(""), ignore_errors=True)
        with self._lock:
            was_up, worker.up = worker.up, False
            self._workers.pop(worker.id, None)
            if not was_up and worker.wanted:
                self._failed = how
            # One that does not even start is not tried again until somebody asks.
            if was_up and worker.wanted:
                self._ask()
            self._changed.notify_all()
            listeners = list(self._sessions.values())
        for deliver in listeners:
            deliver(Gone(worker.id, how) if was_up or not worker.wanted else NotStarted(how))


class _LocalSession:
    def __init__(self, pool: LocalProcesses, number: int) -> None:
        self._pool = pool
        self._number = number

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        pool = self._pool
        with pool._lock:
            free = deque(w for w in pool._workers.values() if w.up and w.taken_by is None)
            if wanted is None:
                # The one used last: its memory is warm, and the others may be ended.
                found = max(free, key=lambda w: w.idle_since, default=None)
            else:
                by_id = {w.id: w for w in free}
                found = next((by_id[w] for w in wanted if w in by_id), None)
            if found is None:
                return None
            found.taken_by = self._number
            found.seen_by.add(self._number)
            return found.id

    def grow(self) -> bool:
        with self._pool._lock:
            return self._pool._ask()

    def send(self, worker: WorkerId, body: bytes) -> None:
        with self._pool._lock:
            process = self._pool._workers.get(worker)
        if process:
            with suppress(OSError):
                process.channel.send(self._number, body)

    def free(self, worker: WorkerId) -> None:
        pool = self._pool
        with pool._lock:
            process = pool._workers.get(worker)
            if process is None or process.taken_by != self._number:
                return
            process.taken_by = None
            process.idle_since = time.monotonic()
            others = [d for n, d in pool._sessions.items() if n != self._number]
        for deliver in others:
            deliver(Free())

    def kill(self, worker: WorkerId) -> None:
        with self._pool._lock:
            process = self._pool._workers.get(worker)
            if process and process.taken_by == self._number:
                process.kill()

    def close(self) -> None:
        pool = self._pool
        with pool._lock:
            if pool._sessions.pop(self._number, None) is None:
                return
            for process in pool._workers.values():
                process.seen_by.discard(self._number)
                if process.taken_by == self._number:
                    process.kill()


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
