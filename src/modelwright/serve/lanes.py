"""How a replica scores: formulas at once, anything long beside the event loop, all within limits."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from modelwright.inference.scorer import ROWS, Scorer, Shape
from modelwright.serve.answers import overloaded, timed_out
from modelwright.serve.settings import DeploymentSettings

QUICK_BODY = 16_384
"""Bytes up to which a request is always scored in the event loop."""

LARGEST_QUICK_BODY = 1_000_000
"""Bytes from which a request never is."""

PATIENCE = 0.2
"""The part of the longest wait after which a request that still waits calls for more places."""

_QUICK_S = 0.004


@dataclass(slots=True)
class Load:
    """What a lane is doing.  slots: requests it can work on at the same time."""

    slots: int
    busy: int = 0
    queued: int = 0


class Lane(Protocol):
    """Scores requests."""

    @property
    def load(self) -> Load:
        """What it is doing."""
        ...

    @property
    def pids(self) -> list[int]:
        """Ids of the processes that score, if it has some of its own."""
        ...

    async def answer(self, body: bytes, shape: Shape) -> bytes:
        """The reply.  Raises Refusal, InputDataError and StepFailed."""
        ...

    def change(self, settings: DeploymentSettings) -> None:
        """Take other limits from now on."""
        ...

    async def close(self) -> None:
        """Finish what has begun, then give everything back."""
        ...


class Gate:
    """Lets so many in at a time; the others wait in a row, and not for long.

    wake_ms: how long they wait while there is no place at all; None for no longer than otherwise.
    """

    def __init__(self, slots: int, wait_ms: int, *, wake_ms: int | None = None) -> None:
        self.load = Load(slots)
        self.wait_ms = wait_ms
        self.wake_ms = wake_ms
        self._row: deque[asyncio.Future[None]] = deque()
        self._quiet = asyncio.Event()
        # Set when somebody waits in vain: for a while, or since there is no place at all.
        self.called = asyncio.Event()
        self._spent = 0.0
        self._since = time.monotonic()

    @property
    def busy_seconds(self) -> float:
        """Time that places were taken, added up over all places since the beginning."""
        self._count_time()
        return self._spent

    def _count_time(self) -> None:
        now = time.monotonic()
        self._spent += self.load.busy * (now - self._since)
        self._since = now

    async def emptied(self) -> None:
        """Wait until nobody is within or in the row."""
        while self.load.busy or self.load.queued:
            self._quiet.clear()
            await self._quiet.wait()

    def resize(self, slots: int, wait_ms: int) -> None:
        """Change how many may be in, and how long the others wait."""
        self.load.slots, self.wait_ms = slots, wait_ms
        self._call()

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Be one of those within.  Raises Refusal with 503 when no place becomes free in time."""
        await self.enter()
        try:
            yield
        finally:
            self.leave()

    async def enter(self) -> None:
        """Take a place until `leave`.  Raises Refusal with 503 when none becomes free in time."""
        if self.load.busy < self.load.slots and not self._row:
            self._take()
        else:
            await self._wait()

    def leave(self) -> None:
        """Give a place back."""
        self._free()
        self._quiet.set()

    def _take(self) -> None:
        self._count_time()
        self.load.busy += 1

    def _free(self) -> None:
        self._count_time()
        self.load.busy -= 1
        self._call()

    async def _wait(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._row.append(place)
        self.load.queued += 1
        wait_ms = self.wait_ms
        if not self.load.slots and self.wake_ms is not None:
            self.called.set()
            wait_ms = self.wake_ms
        patience = self.wait_ms / 1000 * PATIENCE
        knock = asyncio.get_running_loop().call_later(patience, self.called.set)
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                # It was called at the very moment it gave up.
                self._free()
            elif place in self._row:
                self._row.remove(place)
            if isinstance(error, TimeoutError):
                raise overloaded(self.wait_ms) from None
            raise
        finally:
            knock.cancel()
            self.load.queued -= 1
            self._quiet.set()

    def _call(self) -> None:
        while self._row and self.load.busy < self.load.slots:
            place = self._row.popleft()
            if not place.done():
                self._take()
                place.set_result(None)


class FormulaLane:
    """Scores with formulas, which end by themselves, in the replica's own process."""

    def __init__(self, scorer: Scorer, settings: DeploymentSettings) -> None:
        self._score = scorer.answer
        self._shortest, self._carefully = scorer.shortest, scorer.carefully
        # For requests of up to QUICK_BODY that came at the same time; None where that is no gain.
        self.all_at_once = scorer.answer_all
        self._limit_ms = settings.scoring_timeout_ms
        # Large requests run one at a time: they are all computation, and share one interpreter.
        self._gate = Gate(1, settings.max_queue_wait_ms)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self.load = self._gate.load
        # Until it is known better: as slow as the slowest models are.
        self._seconds_a_byte = _QUICK_S / 65_536

    @property
    def pids(self) -> list[int]:
        """None: it scores in the replica itself."""
        return []

    def at_once(self, body: bytes) -> bytes | None:
        """The reply to rows as objects; None for a request that would hold up others.

        Handing one over to a thread costs more than it takes, unless it takes milliseconds.
        Raises InputDataError and StepFailed.
        """
        if len(body) <= QUICK_BODY:
            # As `_score` does, with a call less for every request.
            reply = self._shortest(body)
            return self._carefully(body) if reply is None else reply
        return self._timed(body, ROWS) if self._is_quick(body) else None

    def _is_quick(self, body: bytes) -> bool:
        size = len(body)
        return size <= QUICK_BODY or (
            size <= LARGEST_QUICK_BODY and size * self._seconds_a_byte <= _QUICK_S
        )

    def _timed(self, body: bytes, shape: Shape) -> bytes:
        if len(body) <= QUICK_BODY:
            return self._score(body, shape)
        # Not by the clock: what other processes take of the processor says nothing about this one.
        started = time.thread_time()
        try:
            return self._score(body, shape)
        finally:
            pace = (time.thread_time() - started) / len(body)
            self._seconds_a_byte = 0.7 * self._seconds_a_byte + 0.3 * pace

    async def answer(self, body: bytes, shape: Shape) -> bytes:
        """The reply.  Raises Refusal, InputDataError and StepFailed."""
        if self._is_quick(body):
            return self._timed(body, shape)
        await self._gate.enter()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._timed, body, shape)
        # Its place is taken until it comes to its end, also where nobody waits for that any more.
        work.add_done_callback(self._finished)
        try:
            async with asyncio.timeout(self._limit_ms / 1000):
                return await asyncio.shield(work)
        except TimeoutError:
            raise timed_out(self._limit_ms) from None

    def _finished(self, work: asyncio.Future[bytes]) -> None:
        self._gate.leave()
        if not work.cancelled():
            # Asked for, so that nobody is told of an error that came too late.
            work.exception()

    def change(self, settings: DeploymentSettings) -> None:
        """Take other limits from now on."""
        self._limit_ms = settings.scoring_timeout_ms
        self._gate.resize(1, settings.max_queue_wait_ms)

    async def close(self) -> None:
        """Finish what has begun."""
        await self._gate.emptied()
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
