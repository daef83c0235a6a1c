"""Messages between a replica and the processes that score for it: a number, and bytes."""

from __future__ import annotations

import asyncio
import socket
from struct import Struct

HEAD = Struct("!HQ")
"""Of a request: 1 for classic tables, plus 2 for their types.  Of an answer: its HTTP status."""

READY = 0
"""The number of the first answer, once the process can score."""

TABLES = 1
DETAILS = 2


def send(channel: socket.socket, number: int, content: bytes) -> None:
    """Write a message.  Raises OSError when the other side is gone."""
    channel.sendall(HEAD.pack(number, len(content)))
    channel.sendall(content)


def receive(channel: socket.socket) -> tuple[int, bytes] | None:
    """Read a message; None when the other side is gone."""
    head = _exactly(channel, HEAD.size)
    if head is None:
        return None
    number, length = HEAD.unpack(head)
    content = _exactly(channel, length)
    return None if content is None else (number, bytes(content))


def _exactly(channel: socket.socket, length: int) -> bytearray | None:
    content = bytearray(length)
    view = memoryview(content)
    while view:
        got = channel.recv_into(view)
        if not got:
            return None
        view = view[got:]
    return content


def write(writer: asyncio.StreamWriter, number: int, content: bytes) -> None:
    """Begin to send a message."""
    writer.write(HEAD.pack(number, len(content)))
    writer.write(content)


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next message.  Raises asyncio.IncompleteReadError when the other side is gone."""
    number, length = HEAD.unpack(await reader.readexactly(HEAD.size))
    return number, await reader.readexactly(length)
