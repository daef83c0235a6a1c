"""The line between a target on this machine and one of its workers: addressed messages over a socket."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

_HEAD = struct.Struct("<IQ")

READY = 0
"""The address that is no session's: a worker's first message goes there and says that it is up."""


class Channel:
    """Carries messages both ways; any thread may send, one may receive.

    An address is the number of a session; a worker answers to the address that a message came from.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._sending = threading.Lock()

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """A channel for here, and the other end of it, to be inherited by a new process."""
        here, there = socket.socketpair()
        return cls(here), there

    @classmethod
    def at(cls, descriptor: int) -> Channel:
        """The channel over a descriptor that was inherited."""
        return cls(socket.socket(fileno=descriptor))

    def send(self, address: int, body: bytes) -> None:
        """Send to an address.  Raises OSError when the other side is gone."""
        with self._sending:
            self._line.sendall(_HEAD.pack(address, len(body)) + body)

    def receive(self) -> tuple[int, bytes]:
        """The next message with its address.  Raises EOFError when the other side has hung up."""
        address, length = _HEAD.unpack(self._exactly(_HEAD.size))
        return address, bytes(self._exactly(length))

    def _exactly(self, count: int) -> bytearray:
        got = bytearray(count)
        view = memoryview(got)
        while view:
            try:
                length = self._line.recv_into(view)
            except OSError as error:
                raise EOFError from error
            if not length:
                raise EOFError
            view = view[length:]
        return got

    def hang_up(self) -> None:
        """End the conversation: `receive` ends on both sides."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptor back; to be called by the thread that receives, when it is done."""
        self._line.close()
