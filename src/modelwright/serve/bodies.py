"""Reading the bodies of requests: never too much, never for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any

from modelwright.serve.answers import body_too_large, body_too_slow

_DISCARDED_AT_MOST = 20.0
_TICK = 0.25

Receive = Callable[[], Coroutine[Any, Any, dict[str, Any]]]


class _Begun:
    """A coroutine that has run up to its first wait already; awaiting it goes on from there."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self._waits_for
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001  # handed on, whatever it is
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, sent)
            try:
                waits_for = step()
            except StopIteration as done:
                return done.value


async def _known(message: dict[str, Any]) -> dict[str, Any]:
    return message


class BodyReader:
    """Reads bodies up to a size, within a time.

    limit: most bytes.  seconds: longest time until a body has arrived.
    The time is kept by one watch over all requests, since a timer each would cost more than reading.
    """

    def __init__(self, *, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._due: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._watching = False

    async def read(self, receive: Receive, length: int) -> bytes | None:
        """The body; None when the sender went away.

        length: what the sender announced, -1 when it did not.  Raises Refusal with 408 and 413.
        """
        if length > self.limit:
            raise body_too_large(self.limit)
        receiving = receive()
        try:
            waits_for = receiving.send(None)
        except StopIteration as arrived:
            message: dict[str, Any] = arrived.value
            if message["type"] == "http.request" and not message.get("more_body"):
                # As a rule the body has come along with the head, and there is nothing to watch.
                body: bytes = message["body"]
                if len(body) > self.limit:
                    raise body_too_large(self.limit) from None
                return body
            return await self._watched(receive, _known(message))
        return await self._watched(receive, _Begun(receiving, waits_for))

    async def _watched(self, receive: Receive, first: Awaitable[dict[str, Any]]) -> bytes | None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a body is read in a task of its own")
        loop = asyncio.get_running_loop()
        self._due[task] = loop.time() + self.seconds
        if not self._watching:
            self._watching = True
            loop.call_later(min(_TICK, self.seconds), self._watch, loop)
        try:
            return await self._whole(receive, await first)
        except asyncio.CancelledError:
            if task in self._late:
                task.uncancel()
                raise body_too_slow(self.seconds) from None
            raise
        finally:
            del self._due[task]
            self._late.discard(task)

    async def _whole(self, receive: Receive, message: dict[str, Any]) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while message["type"] == "http.request":
            part = message.get("body", b"")
            size += len(part)
            if size > self.limit:
                raise body_too_large(self.limit)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)
            message = await receive()
        return None

    async def discard(self, receive: Receive) -> None:
        """Take in what a refused sender still sends, for a while, so that it reads the refusal."""
        try:
            async with asyncio.timeout(min(_DISCARDED_AT_MOST, self.seconds)):
                while True:
                    message = await receive()
                    if message["type"] != "http.request" or not message.get("more_body"):
                        return
        except TimeoutError:
            return

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, due in list(self._due.items()):
            if due <= now and task not in self._late:
                self._late.add(task)
                task.cancel()
        if self._due:
            loop.call_later(min(_TICK, self.seconds), self._watch, loop)
        else:
            self._watching = False
