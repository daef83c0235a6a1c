"""Copies of requests and replies for whoever looks on; callers neither wait for them nor fail by them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any, Self

from modelwright.inference.scorer import Shape
from modelwright.serve.control import connected
from modelwright.serve.meters import Meter
from modelwright.serve.traffic import Onlooker

WAITING = 8_000_000
"""Bytes that may wait to be sent to an onlooker; beyond them copies are left out and counted."""

_HEAD = Struct("!BIdQQ")
_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Copy:
    """A request and its reply.  number: of the deployment that answered.  at: seconds since 1970."""

    number: int
    at: float
    shape: Shape
    body: bytes
    reply: bytes

    @classmethod
    def now(cls, number: int, shape: Shape, body: bytes, reply: bytes) -> Self:
        """One of a request that has just been answered."""
        return cls(number, time.time(), shape, body, reply)


class Sampling:
    """Takes a share of requests, evenly spread.

    shares: percent, by the number of the deployment that answers.
    """

    def __init__(self) -> None:
        self.shares: Mapping[int, int] = {}
        self._due: dict[int, int] = {}

    def takes(self, number: int) -> bool:
        """Whether it is the turn of the next request that a deployment answers."""
        share = self.shares.get(number, 0)
        if not share:
            return False
        due = self._due.get(number, 0) + share
        self._due[number] = due % 100
        return due >= 100


class Copies(Sampling):
    """Sends copies to an onlooker that listens on a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.meters: Mapping[int, Meter] = {}
        self._line: asyncio.WriteTransport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._not_before = 0.0

    def see(self, number: int, body: bytes, shape: Shape, reply: bytes) -> None:
        """Send a copy, if it is this request's turn and there is room."""
        if not self.takes(number):
            return
        line = self._line
        if line is None or line.is_closing():
            self._connect()
            self._skip(number)
        elif line.get_write_buffer_size() + len(body) + len(reply) > WAITING:
            self._skip(number)
        else:
            flags = 1 * shape.tables + 2 * shape.details
            head = _HEAD.pack(flags, number, time.time(), len(body), len(reply))
            line.writelines((head, body, reply))

    def close(self) -> None:
        """Send no more."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._line is not None:
            self._line.close()

    def begin(self) -> None:
        """Connect, so that the first copy finds the way open."""
        self._connect()

    def _skip(self, number: int) -> None:
        if number in self.meters:
            self.meters[number].skipped += 1

    def _connect(self) -> None:
        now = time.monotonic()
        if now < self._not_before or (self._connecting and not self._connecting.done()):
            return
        self._not_before = now + _AGAIN_S
        try:
            channel = connected(self.path)
        except OSError:
            # It is not there yet, or starts anew.
            return
        self._connecting = asyncio.get_running_loop().create_task(self._join(channel))

    async def _join(self, channel: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            line, _ = await loop.create_connection(asyncio.Protocol, sock=channel)
        except OSError:
            channel.close()
            return
        self._line = line


class Onlooking:
    """Makes the onlookers of an endpoint's deployments; those that stay keep their connections.

    ways: the sockets that get copies, each with its shares, for deployments as they are told.
    """

    def __init__(
        self, ways: Callable[[Mapping[int, Any]], Mapping[Path, Mapping[int, int]]]
    ) -> None:
        self._ways = ways
        self._copies: dict[Path, Copies] = {}

    def __call__(self, parts: Mapping[int, Any], meters: Mapping[int, Meter]) -> Sequence[Onlooker]:
        """The onlookers of these deployments."""
        wanted = self._ways(parts)
        for path in self._copies.keys() - wanted.keys():
            self._copies.pop(path).close()
        for path, shares in wanted.items():
            copies = self._copies.setdefault(path, Copies(path))
            copies.shares, copies.meters = shares, meters
            copies.begin()
        return tuple(self._copies.values())


async def received(reader: asyncio.StreamReader) -> AsyncIterator[Copy]:
    """The copies that come over a connection, until it ends."""
    while True:
        try:
            head = await reader.readexactly(_HEAD.size)
            flags, number, at, long, longer = _HEAD.unpack(head)
            body = await reader.readexactly(long)
            reply = await reader.readexactly(longer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        yield Copy(number, at, Shape(bool(flags & 1), bool(flags & 2)), body, reply)
