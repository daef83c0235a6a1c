"""Server-sent events: what happens, told as it happens, and again to whoever missed it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import Header
from starlette.responses import StreamingResponse

from modelwright.actions.as_json import as_json
from modelwright.actions.background import Feed, Told
from modelwright.data.errors import ModelwrightError

_PING_EVERY_S = 15.0
_LOOK_EVERY_S = 0.5
# A reader this far behind is spared what is not kept: lines of logs, progress.
_BEHIND = 2_000

CLOSED = "closed"
"""Kind of the last message of a stream: nothing will follow, so that nobody need connect again."""


class InvalidPlace(ModelwrightError):
    """The place from which a stream is to be told again is none."""

    code = "invalid-range"

    def __init__(self, given: str) -> None:
        super().__init__(
            f'"{given}" is no place in this stream.',
            remedy="Send the id of the last event that was read as Last-Event-ID, or nothing.",
            given=given,
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a stream.  id: where to go on after it; None for one that is not told again."""

    data: Mapping[str, Any]
    id: int | None = None

    def encode(self) -> bytes:
        """The message as it goes over the wire."""
        text = json.dumps(as_json(self.data), ensure_ascii=False, separators=(",", ":"))
        lines = [f"data: {text}"] + ([] if self.id is None else [f"id: {self.id}"])
        return ("\n".join(lines) + "\n\n").encode()


LastEvent = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID", description="Id of the last event that was read; the rest follows."
    ),
]


def place_of(last_event: str | None, since: int) -> int:
    """Where a stream begins: after the last event that was read, or where the address says.

    Raises InvalidPlace.
    """
    if last_event is None or not last_event.strip():
        return since
    if not last_event.strip().isdecimal() or len(last_event) > 18:
        raise InvalidPlace(last_event)
    return int(last_event)


def event_stream(messages: AsyncIterator[Sent | None]) -> StreamingResponse:
    """The response that sends messages as they come; None is a chance to show that it is alive."""

    async def encoded() -> AsyncIterator[bytes]:
        said = time.monotonic()
        yield b"retry: 1000\n\n"
        async for message in messages:
            if message is not None:
                yield message.encode()
                said = time.monotonic()
            elif time.monotonic() - said > _PING_EVERY_S:
                yield b": still here\n\n"
                said = time.monotonic()
        yield Sent({"kind": CLOSED}).encode()

    return StreamingResponse(
        encoded(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def followed(feed: Feed, since: int, stopping: Event) -> AsyncIterator[Sent | None]:
    """What happens in a run that this process works on."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[Told | None] = asyncio.Queue()

    def deliver(told: Told | None) -> None:
        if told is not None and told.seq is None and waiting.qsize() > _BEHIND:
            return
        # The reader may have gone, and its loop with it; the run goes on.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(waiting.put_nowait, told)

    stop = feed.follow(deliver, since=since)
    try:
        while not stopping.is_set():
            try:
                told = await asyncio.wait_for(waiting.get(), _LOOK_EVERY_S)
            except TimeoutError:
                yield None
                continue
            if told is None:
                return
            yield Sent(told.data, told.seq)
    finally:
        stop()


async def polled(
    look: Callable[[], tuple[list[Sent], bool]], stopping: Event, *, every_s: float = _LOOK_EVERY_S
) -> AsyncIterator[Sent | None]:
    """What `look` finds, again and again, until it says that there will be no more."""
    while not stopping.is_set():
        found, over = await run_sync(look)
        for message in found:
            yield message
        if over:
            return
        if not found:
            yield None
            await asyncio.sleep(every_s)
