"""Scoring in processes of its own, for pipelines with scripts: a hung or dead one is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from modelwright import temporary
from modelwright.inference.scorer import Shape
from modelwright.serve import frames, groups, scaling
from modelwright.serve.answers import Refusal, out_of_memory, overloaded, timed_out
from modelwright.serve.control import connected, private_socket
from modelwright.serve.errors import DeploymentFailed
from modelwright.serve.lanes import Gate
from modelwright.serve.limits import thread_bounds
from modelwright.serve.scaling import Policy, Seen, decide
from modelwright.serve.settings import DeploymentSettings

START_S = 60.0
"""How long a scoring process may take until it can score."""

LOOKS_APART_S = 0.05
"""How far apart two looks at the load are at least, however many requests call for one."""

_SWEEP_S = 0.5

_PAUSES = (0.1, 0.5, 2.0, 10.0)

_log = logging.getLogger("modelwright.workers")


class WorkerDied(Exception):
    """A scoring process ended in the middle of a request, or before it was ready."""


class Nursery:
    """The process that makes scoring processes for a package.

    path: the socket to connect to for one.
    """

    def __init__(self, path: Path, process: asyncio.subprocess.Process) -> None:
        self.path = path
        self._process = process

    @classmethod
    async def start(cls, package: Path, settings: DeploymentSettings) -> Nursery:
        """Start one that ends with this process."""
        folder = Path(tempfile.mkdtemp(prefix="nursery-", dir=temporary.place()))
        listener = private_socket(folder / "nursery.sock")
        listener.listen()
        try:
            process = await asyncio.create_subprocess_exec(
                *nursery_command(package, listener.fileno(), folder / "nursery.sock", settings),
                "--die-with-parent",
                pass_fds=(listener.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                env=thread_bounds(settings.cpu_reserve, os.environ),
            )
        finally:
            listener.close()
        return cls(folder / "nursery.sock", process)

    async def close(self) -> None:
        """End it; the processes it has made go on."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self.path.parent, ignore_errors=True)


def nursery_command(
    package: Path, descriptor: int, path: Path, settings: DeploymentSettings
) -> list[str]:
    """The command line of a nursery that listens on an inherited socket at the path."""
    command = [sys.executable, "-m", "modelwright.serve.nursery"]
    memory = str(settings.memory_reserve_gb)
    return [*command, str(package), str(descriptor), str(path), memory]


class Worker:
    """A scoring process and the connection to it.  gone: done when the process has ended."""

    def __init__(
        self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = pid
        self._writer = writer
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.gone = asyncio.create_task(self._listen(reader))

    @classmethod
    async def start(cls, nursery: Path) -> Worker:
        """Have a process made and wait until it can score.  Raises WorkerDied with what it said."""
        try:
            channel = connected(nursery)
        except OSError as error:
            raise WorkerDied(f"nobody makes scoring processes: {error.strerror}") from None
        reader, writer = await asyncio.open_connection(sock=channel)
        try:
            async with asyncio.timeout(START_S):
                number, content = await frames.answer(reader)
        except BaseException as error:
            writer.close()
            if isinstance(error, TimeoutError):
                raise WorkerDied(f"it was not ready after {START_S:g} s") from None
            if isinstance(error, asyncio.IncompleteReadError | ConnectionError):
                raise WorkerDied("it ended before it was ready") from None
            raise
        if number != frames.READY:
            writer.close()
            said: dict[str, Any] = orjson.loads(content)
            raise WorkerDied(said["message"])
        return cls(int(content), reader, writer)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Take in answers until the process is gone."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                found = await frames.answer(reader)
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(found)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WorkerDied(f"process {self.pid} ended"))

    async def call(self, body: bytes, shape: Shape) -> tuple[int, bytes]:
        """Status and body of the answer.  Raises WorkerDied."""
        if self.gone.done():
            raise WorkerDied(f"process {self.pid} has ended")
        self._answer = asyncio.get_running_loop().create_future()
        number = frames.TABLES * shape.tables + frames.DETAILS * shape.details
        try:
            frames.write(self._writer, number, body)
            await self._writer.drain()
            return await self._answer
        except ConnectionError as error:
            raise WorkerDied(str(error)) from None
        finally:
            self._answer = None

    def kill(self) -> None:
        """End the process at once."""
        if not self.gone.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        # It cannot clear up behind itself any more.
        loop = asyncio.get_running_loop()
        loop.call_later(_SWEEP_S, lambda: loop.run_in_executor(None, temporary.sweep))
        self._writer.close()

    def stop(self) -> None:
        """Let the process end: it does when its connection is closed."""
        self._writer.close()


class WorkerLane:
    """Scores in processes; each works on one request at a time.

    nursery: where processes are made; closed with the lane if it is the lane's own.
    """

    def __init__(self, nursery: Path, settings: DeploymentSettings, own: Nursery | None) -> None:
        self._nursery = nursery
        self._own = own
        self._settings = settings
        self._gate = Gate(0, settings.max_queue_wait_ms, wake_ms=settings.scoring_timeout_ms)
        self.load = self._gate.load
        self._idle: list[Worker] = []
        self._wanted = 0
        self._all: set[Worker] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._scaling: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        name: str,
        nursery: Path | Nursery,
        settings: DeploymentSettings,
        *,
        workers: int,
    ) -> WorkerLane:
        """A lane whose processes are ready.  Raises DeploymentFailed."""
        own = nursery if isinstance(nursery, Nursery) else None
        lane = cls(nursery.path if isinstance(nursery, Nursery) else nursery, settings, own)
        lane._wanted = workers
        # One first: where that fails, the others would only fail likewise.
        for some in (min(1, workers), max(0, workers - 1)):
            try:
                made = await asyncio.gather(*(Worker.start(lane._nursery) for _ in range(some)))
            except WorkerDied as error:
                await lane.close()
                raise DeploymentFailed(name, str(error)) from error
            for worker in made:
                lane._add(worker)
        lane._scaling = asyncio.create_task(lane._follow())
        return lane

    @property
    def pids(self) -> list[int]:
        """Ids of the processes at work."""
        return sorted(w.pid for w in self._all)

    async def answer(self, body: bytes, shape: Shape) -> bytes:
        """The reply.  Raises Refusal."""
        limit = self._settings.scoring_timeout_ms
        async with self._gate.entered():
            worker = self._take()
            fit = False
            try:
                async with asyncio.timeout(limit / 1000):
                    status, reply = await worker.call(body, shape)
                fit = True
            except TimeoutError:
                _log.warning(
                    "scoring process %d took over %d ms and is replaced", worker.pid, limit
                )
                raise timed_out(limit) from None
            except WorkerDied:
                group = groups.of(worker.pid)
                if group is not None and group.ended:
                    _log.warning("scoring process %d went over its memory", worker.pid)
                    raise out_of_memory(self._settings.memory_reserve_gb) from None
                _log.warning("scoring process %d died and is replaced", worker.pid)
                raise _crashed() from None
            finally:
                if fit and len(self._all) <= self._wanted:
                    self._idle.append(worker)
                else:
                    self._drop(worker, fit=fit)
        if status == 200:
            return reply
        if reply:
            raise Refusal.of(status, reply)
        raise RuntimeError(f"a step failed in scoring process {worker.pid}, see above")

    def _take(self) -> Worker:
        """An idle process.  Raises Refusal with 503 when the last one has died just now."""
        while self._idle:
            worker = self._idle.pop()
            if not worker.gone.done():
                return worker
            self._drop(worker, fit=False)
        raise overloaded(self._gate.wait_ms)

    def scale(self, workers: int) -> None:
        """Have so many processes from now on; those at work finish first."""
        self._wanted = workers
        # One that is idle may be promised already to a request that was called from the row.
        while len(self._all) > workers and self.load.busy < self.load.slots:
            self._drop(self._idle.pop(), fit=True)
        while len(self._all) + len(self._starting) < workers:
            self._begin()

    def change(self, settings: DeploymentSettings) -> None:
        """Take other limits from now on."""
        self._settings = settings
        self._gate.wake_ms = settings.scoring_timeout_ms
        self._gate.resize(len(self._all), settings.max_queue_wait_ms)
        self._gate.called.set()

    async def close(self) -> None:
        """Wait for requests in work, then end the processes."""
        self._wanted = 0
        if self._scaling is not None:
            self._scaling.cancel()
        for task in self._starting:
            task.cancel()
        await self._gate.emptied()
        for worker in list(self._all):
            worker.stop()
        await asyncio.to_thread(temporary.sweep)
        if self._own is not None:
            await self._own.close()

    async def _follow(self) -> None:
        """Have as many processes as the load needs.

        Looked at every refresh period, and as soon as a request has waited for a while.
        """
        places = self._settings.max_concurrent_requests
        seen = Seen(max(1, self._wanted // places))
        spent, then = self._gate.busy_seconds, time.monotonic()
        while True:
            await asyncio.sleep(LOOKS_APART_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.refresh_period_s - LOOKS_APART_S):
                    await self._gate.called.wait()
            self._gate.called.clear()
            policy = Policy.of(self._settings)
            now = time.monotonic()
            busy = float(self.load.busy)
            if now - then >= self._settings.refresh_period_s / 2:
                busy_seconds = self._gate.busy_seconds
                busy, spent, then = (busy_seconds - spent) / (now - then), busy_seconds, now
            seen = decide(seen, scaling.Load(busy, self.load.queued), policy, now)
            wanted = seen.replicas * policy.concurrency
            if wanted != self._wanted:
                _log.info(
                    "%d replicas wanted, %.1f busy, %d queued",
                    seen.replicas,
                    busy,
                    self.load.queued,
                )
                self.scale(wanted)

    def _add(self, worker: Worker) -> None:
        self._all.add(worker)
        self._idle.append(worker)
        worker.gone.add_done_callback(lambda _: self._lost(worker))
        self._gate.resize(len(self._all), self._settings.max_queue_wait_ms)

    def _lost(self, worker: Worker) -> None:
        """Replace a process that ended while it had nothing to do."""
        if worker in self._idle:
            self._idle.remove(worker)
            _log.warning("scoring process %d ended and is replaced", worker.pid)
            self._drop(worker, fit=False)

    def _drop(self, worker: Worker, *, fit: bool) -> None:
        """Take a process out of work, and start another where it is wanted."""
        self._all.discard(worker)
        self._gate.resize(len(self._all), self._settings.max_queue_wait_ms)
        if fit:
            worker.stop()
        else:
            worker.kill()
        if len(self._all) + len(self._starting) < self._wanted:
            self._begin()

    def _begin(self) -> None:
        task = asyncio.create_task(self._started())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _started(self) -> None:
        """Start a process, with longer and longer pauses while that fails."""
        for attempt in count():
            try:
                worker = await Worker.start(self._nursery)
            except (WorkerDied, OSError) as error:
                _log.error("a scoring process did not start: %s", error)
                await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            else:
                self._add(worker)
                return


def _crashed() -> Refusal:
    """The process that scored a request died; another takes its place."""
    return Refusal(
        500,
        "The process that scored this request died. The endpoint's log may tell why.",
        {"code": "scoring-process-died"},
    )
