"""The HTTP server under a replica: uvicorn, with patience for clients that is limited, and a gentle end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelwright.serve.answers import error_body
from modelwright.serve.app import App

BACKLOG = 2048
"""Connections that wait in the kernel while the process is busy."""

_TICK = 0.5


class Connection(HttpToolsProtocol):
    """A connection that remembers since when its client owes the head of a request.

    begun: whether the client has sent a part of it.
    """

    owing_since: float | None = None
    begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count from here: a client that never says anything is not kept."""
        super().connection_made(transport)
        self.owing_since = self.loop.time()

    def on_message_begin(self) -> None:
        """The head of a request begins."""
        super().on_message_begin()
        self.owing_since, self.begun = self.loop.time(), True

    def on_headers_complete(self) -> None:
        """The head is whole; from now on the application counts."""
        self.owing_since = None
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the shape that all errors have."""
        body = error_body(400, msg, {"code": "malformed-http"})
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head % len(body) + body)
        self.transport.close()

    def give_up(self) -> None:
        """End a connection whose client is too slow."""
        self.transport.close()


class Server(uvicorn.Server):
    """A uvicorn server for one App that ends slow clients and drains gently.

    grace_s: longest wait for requests in work.  drain_s: how long idle connections may still bring a
    request after the end has begun; each gets its answer and is closed by it.
    """

    def __init__(self, app: App, *, grace_s: float = 30.0, drain_s: float = 0.0) -> None:
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            loop="auto",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=app.settings.keep_alive_s,
            timeout_graceful_shutdown=max(1, round(grace_s)),
            backlog=BACKLOG,
        )
        super().__init__(config)
        self._app = app
        self.drain_s = drain_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and begin to watch for slow clients."""
        await super().startup(sockets)
        self._watch(asyncio.get_running_loop())

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        settings = self._app.settings
        self.config.timeout_keep_alive = settings.keep_alive_s
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection) and connection.owing_since is not None:
                allowed = settings.head_timeout_s if connection.begun else settings.keep_alive_s
                if connection.owing_since + allowed < now:
                    connection.give_up()
        loop.call_later(_TICK, self._watch, loop)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, answer what has come, then close."""
        self._app.draining = True
        for server in self.servers:
            server.close()
        # Asyncio's server has closed its copies of the sockets; the listener may live on elsewhere.
        await self._drained()
        await super().shutdown([])

    async def _drained(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while self.server_state.connections and loop.time() < begun + self.drain_s:  # noqa: ASYNC110  # a plain set
            await asyncio.sleep(0.02)


def bound(host: str, port: int) -> socket.socket:
    """A socket that has its address but does not listen yet.

    It may follow at once on one that was closed.  Raises OSError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except BaseException:
        found.close()
        raise
    return found


def address_of(listener: socket.socket) -> tuple[str, int]:
    """Host and port of a socket."""
    name: Sequence[Any] = listener.getsockname()
    return str(name[0]), int(name[1])
