"""Scoring in processes of its own, for pipelines with scripts: a hung or dead one is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from modelwright.inference.scorer import Shape
from modelwright.serve import frames
from modelwright.serve.answers import Refusal, overloaded, timed_out
from modelwright.serve.errors import DeploymentFailed
from modelwright.serve.lanes import Gate
from modelwright.serve.limits import thread_bounds
from modelwright.serve.settings import DeploymentSettings

START_S = 60.0
"""How long a scoring process may take until it can score."""

_PAUSES = (0.1, 0.5, 2.0, 10.0)

_log = logging.getLogger("modelwright.workers")


class WorkerDied(Exception):
    """A scoring process ended in the middle of a request."""


class Worker:
    """A scoring process and the channel to it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.gone = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, package: Path, cores: float) -> Worker:
        """Start a process and wait until it can score.  Raises WorkerDied with what it said."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "modelwright.serve.worker",
                str(package),
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                env=thread_bounds(cores, os.environ),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = cls(process, reader, writer)
        try:
            async with asyncio.timeout(START_S):
                number, content = await frames.answer(reader)
        except BaseException as error:
            await worker.kill()
            if isinstance(error, TimeoutError):
                raise WorkerDied(f"it was not ready after {START_S:g} s") from None
            if isinstance(error, asyncio.IncompleteReadError | ConnectionError):
                raise WorkerDied("it ended before it was ready") from None
            raise
        if number != frames.READY:
            await worker.kill()
            said: dict[str, Any] = orjson.loads(content)
            raise WorkerDied(said["message"])
        return worker

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be given a request, as far as is known."""
        return not self.gone.done() and not self._reader.at_eof()

    async def call(self, body: bytes, shape: Shape) -> tuple[int, bytes]:
        """Status and body of the answer.  Raises WorkerDied."""
        number = frames.TABLES * shape.tables + frames.DETAILS * shape.details
        try:
            return await frames.exchange(self._reader, self._writer, number, body)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerDied(str(error)) from None

    async def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        await asyncio.shield(self.gone)

    async def stop(self) -> None:
        """Let the process end by itself, and kill it when it does not."""
        self._writer.close()
        try:
            async with asyncio.timeout(2):
                await asyncio.shield(self.gone)
        except TimeoutError:
            await self.kill()


class WorkerLane:
    """Scores in processes; each works on one request at a time."""

    def __init__(self, name: str, package: Path, settings: DeploymentSettings) -> None:
        self._name = name
        self._package = package
        self._settings = settings
        self._gate = Gate(0, settings.max_queue_wait_ms)
        self.load = self._gate.load
        self._idle: list[Worker] = []
        self._wanted = 0
        self._all: set[Worker] = set()
        self._starting: set[asyncio.Task[None]] = set()
        # A task that nobody holds may be collected before it has run.
        self._ending: set[asyncio.Task[None]] = set()

    @classmethod
    async def start(
        cls, name: str, package: Path, settings: DeploymentSettings, *, workers: int
    ) -> WorkerLane:
        """A lane whose processes are ready.  Raises DeploymentFailed."""
        lane = cls(name, package, settings)
        lane._wanted = workers
        try:
            started = await asyncio.gather(
                *(Worker.start(package, settings.cpu_reserve) for _ in range(workers))
            )
        except WorkerDied as error:
            raise DeploymentFailed(name, str(error)) from error
        for worker in started:
            lane._add(worker)
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
            if worker.is_alive:
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
        self._gate.resize(len(self._all), settings.max_queue_wait_ms)
        self.scale(settings.max_concurrent_requests)

    async def close(self) -> None:
        """Wait for requests in work, then end the processes."""
        self._wanted = 0
        for task in self._starting:
            task.cancel()
        await self._gate.emptied()
        await asyncio.gather(*(w.stop() for w in list(self._all)), return_exceptions=True)

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
        ending = asyncio.create_task(worker.stop() if fit else worker.kill())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
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
                worker = await Worker.start(self._package, self._settings.cpu_reserve)
            except (WorkerDied, OSError) as error:
                _log.error("a scoring process did not start: %s", error)
                await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            else:
                self._add(worker)
                return


def _crashed() -> Refusal:
    return Refusal(
        500,
        "The process that scored this request died. The endpoint's log may tell why.",
        {"code": "scoring-process-died"},
    )
