"""Callers of an endpoint at a steady rate, and what became of each of their requests."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Callers:
    """Requests sent when they are due, whatever became of those before.

    key: that opens the endpoint, where it asks for one.
    calls: of each answered request, seconds since the beginning, latency in seconds, and status.
    failed: what became of the others.
    """

    port: int
    body: bytes
    rate: float
    key: str = ""
    calls: list[tuple[float, float, int]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    begun: float = 0.0
    under_way: int = 0
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def run(self) -> None:
        """Call until cancelled; then wait for what is under way."""
        self.begun = due = time.perf_counter()
        async with asyncio.TaskGroup() as calls:
            try:
                while True:
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    calls.create_task(self._call(due))
                    due += 1 / self.rate
            except asyncio.CancelledError:
                pass
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connections that lie idle."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _call(self, due: float) -> None:
        self.under_way += 1
        try:
            status = await asyncio.wait_for(self.answer(), 30)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.failed.append(f"{time.perf_counter() - self.begun:.2f} s: {error!r}")
            return
        finally:
            self.under_way -= 1
        self.calls.append((due - self.begun, time.perf_counter() - due, status))

    async def answer(self) -> int:
        """The status of one more request, on a connection that lies idle if there is one."""
        reader, writer = await self._connection()
        head = f"POST /score HTTP/1.1\r\nHost: chaos\r\nContent-Length: {len(self.body)}\r\n"
        head += f"Authorization: Bearer {self.key}\r\n\r\n" if self.key else "\r\n"
        try:
            writer.write(head.encode() + self.body)
            said = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(said.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in said:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(said[9:12])

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            # As any client looks before it sends: the other side may have gone.
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    @property
    def statuses(self) -> Counter[int]:
        """How many answers there were of each status."""
        return Counter(status for _, _, status in self.calls)

    @property
    def lost(self) -> int:
        """Requests without an answer, and answers that are not 200."""
        return len(self.failed) + sum(n for s, n in self.statuses.items() if s != 200)


@asynccontextmanager
async def calling(port: int, body: bytes, rate: float, *, key: str = "") -> AsyncIterator[Callers]:
    """Callers at work, and gone with all their answers at the end."""
    callers = Callers(port, body, rate, key)
    work = asyncio.create_task(callers.run())
    try:
        yield callers
    finally:
        work.cancel()
        await asyncio.wait([work])
