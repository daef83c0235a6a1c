"""The HTTP server under a replica: uvicorn, with patience for clients that is limited, and a gentle end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from modelwright.serve.answers import error_body
from modelwright.serve.app import App, Receive, Scope, Send
from modelwright.serve.gathering import FEWEST, Answered
from modelwright.serve.lanes import LARGEST_QUICK_BODY, QUICK_BODY
from modelwright.serve.settings import EndpointSettings

BACKLOG = 2048
"""Connections that wait in the kernel while the process is busy."""

LARGEST_HEAD = 65_536
"""Bytes of a head, or of anything else that is no body, that are taken in before they come to an end."""

_TICK = 0.5
_FORMER_S = 10.0
_LINGER_S = 1.0


class Connection(HttpToolsProtocol):
    """A connection that answers usual requests on the spot, and knows since when its client owes a head.

    A request to score that comes whole within moments is answered while it is parsed, without a task, or
    with all that came at the same moment; any other goes the way of every ASGI application.  begun: whether the client has sent a part of a head.
    """

    owing_since: float | None = None
    begun = False
    # The parts of the body of a request that may be answered on the spot.
    _held: list[bytes] | None = None
    _held_bytes = 0
    # Whether a request is among those that are answered together in a moment.
    _gathered = False
    _told: list[tuple[bytes, bytes]] | None = None
    _head = b""
    # Whether the last bytes were more than a part of a head, and how many have come that were not.
    _moved = False
    _idle_bytes = 0
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count from here: a client that never says anything is not kept."""
        super().connection_made(transport)
        self.owing_since = self.loop.time()
        self._app = self.app if isinstance(self.app, App) else None
        self._scoring = self._app.scoring if self._app is not None else frozenset()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more."""
        self._gathered = False
        self._held = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; the parser keeps what is not whole yet, which must not grow for ever."""
        if self._is_refused:
            return
        self._moved = False
        super().data_received(data)
        if self._moved:
            self._idle_bytes = 0
            return
        self._idle_bytes += len(data)
        if self._idle_bytes > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse_head()

    def on_message_begin(self) -> None:
        """The head of a request begins."""
        self._settle()
        self.owing_since, self.begun = self.loop.time(), True
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """The head is whole; from now on the application counts."""
        self._moved = True
        self.owing_since = None
        parser = self.parser
        cycle: RequestResponseCycle | None = self.cycle
        if (
            self.url in self._scoring
            and parser.get_method() == b"POST"
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (cycle is None or cycle.response_complete)
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
        ):
            self._held, self._held_bytes = [], 0
        else:
            self._go_on()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._moved = True
        if self._held is None:
            super().on_body(body)
            return
        self._held.append(body)
        self._held_bytes += len(body)
        if self._held_bytes > LARGEST_QUICK_BODY:
            self.stop_holding()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._moved = True
        app, found = self._app, None
        if self._held is not None and app is not None:
            body = b"".join(self._held)
            if (
                len(self.connections) >= FEWEST
                and self._held_bytes <= QUICK_BODY
                and app.live is not None
                and app.live.all_at_once is not None
                and (known := app.let_in(self.headers)) is not None
            ):
                self._held, self._gathered = None, True
                app.gathering.add(self, known[1], body, self.loop)
                return
            found = app.at_once(self.headers, body)
        if found is None:
            self.stop_holding()
            super().on_message_complete()
            return
        self._held = None
        self._tell(*found)

    def take(self, body: bytes, answered: Answered) -> None:
        """What became of a request that was gathered."""
        if not self._gathered:
            return
        self._gathered = False
        if self.transport.is_closing():
            return
        if answered is not None:
            self._tell(*answered)
            return
        self._held = [body]
        self.stop_holding()
        super().on_message_complete()

    def _settle(self) -> None:
        """Have what was gathered answered before anything else is said on this connection."""
        if self._gathered and self._app is not None:
            self._app.gathering.flush()

    def _tell(self, number: bytes, reply: bytes) -> None:
        if self._told is not self.server_state.default_headers:
            self._told = self.server_state.default_headers
            fields = b"".join(b"%b: %b\r\n" % pair for pair in self._told)
            self._head = b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\n" % fields
        fields = b"content-length: %d\r\nx-ms-request-id: %b\r\n\r\n" % (len(reply), number)
        self.transport.write(b"".join((self._head, fields, reply)))
        self.server_state.total_requests += 1
        self.owing_since, self.begun = self.loop.time(), False

    def stop_holding(self) -> None:
        """Let the application wait for the rest of a request that has not come whole."""
        held, self._held = self._held, None
        if held is not None:
            self._go_on()
            for body in held:
                super().on_body(body)

    def shutdown(self) -> None:
        """Close when the request that has begun to come, if there is one, is answered."""
        self._settle()
        self.stop_holding()
        super().shutdown()

    def _go_on(self) -> None:
        """Hand the request to the application, which takes in the body by itself."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the shape that all errors have."""
        status = HTTPStatus.BAD_REQUEST
        self._refuse(status, error_body(status, msg, {"code": "malformed-http"}))
        self.transport.close()

    def _refuse_head(self) -> None:
        """431: the head of a request is over the limit."""
        self._is_refused, self.owing_since = True, None
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self._held = None
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        words = f"The head of the request is larger than {LARGEST_HEAD} bytes. Send fewer headers."
        self._refuse(status, error_body(status, words, {"code": "head-too-large"}))
        # What still comes of it is thrown away: closed at once, the answer would not be read.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _refuse(self, status: HTTPStatus, body: bytes) -> None:
        self._settle()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def give_up(self) -> None:
        """End a connection whose client is too slow."""
        self.transport.close()


class Answering(Protocol):
    """The application of a server: an App, or what hands requests on to others."""

    draining: bool
    settings: EndpointSettings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...


class Server(uvicorn.Server):
    """A uvicorn server for one application that ends slow clients and drains gently.

    grace_s: longest wait for requests in work.  drain_s: how long idle connections may still bring a
    request after the end has begun; each gets its answer and is closed by it.
    """

    def __init__(self, app: Answering, *, grace_s: float = 30.0, drain_s: float = 0.0) -> None:
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
            ssl_certfile=app.settings.tls_certificate or None,
            ssl_keyfile=app.settings.tls_key or None,
        )
        super().__init__(config)
        self._app = app
        self.drain_s = drain_s
        self.servers = []
        self._at_door = asyncio.Lock()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and begin to watch for slow clients; do neither when the end has begun already."""
        async with self._at_door:
            if self.should_exit:
                return
            await super().startup(sockets)
        self._watch(asyncio.get_running_loop())

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal, and let the process go on with what there is to do after the last answer."""
        with super().capture_signals():
            yield
            # Raised anew they would end it on the spot.
            self._captured_signals.clear()

    async def cease(self) -> None:
        """Begin to stop; when this returns no further connection is taken."""
        self.should_exit = True
        async with self._at_door:
            for server in self.servers:
                server.close()

    async def reopen(self, listener: socket.socket) -> None:
        """Take connections as the settings say now, with TLS or without; when this returns, none otherwise.

        listener: the socket it answers on, or a copy.  Connections from before are closed after a while.
        """
        config, settings = self.config, self._app.settings
        config.ssl_certfile = settings.tls_certificate or None
        config.ssl_keyfile = settings.tls_key or None
        config.ssl = _context(config)
        loop = asyncio.get_running_loop()
        async with self._at_door:
            if self.should_exit:
                return
            former = [c for c in self.server_state.connections if isinstance(c, Connection)]
            made = await loop.create_server(
                self._connection, sock=listener.dup(), ssl=config.ssl, backlog=config.backlog
            )
            for server in self.servers:
                server.close()
            self.servers = [made]
        for connection in former:
            loop.call_later(_FORMER_S, connection.shutdown)

    def _connection(self) -> asyncio.Protocol:
        return Connection(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        settings = self._app.settings
        self.config.timeout_keep_alive = settings.keep_alive_s
        for connection in list(self.server_state.connections):
            if not isinstance(connection, Connection):
                continue
            connection.stop_holding()
            if connection.owing_since is not None:
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


def _context(config: uvicorn.Config) -> ssl.SSLContext | None:
    if not config.ssl_certfile:
        return None
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(config.ssl_certfile, config.ssl_keyfile, password=lambda: "")
    return found


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
