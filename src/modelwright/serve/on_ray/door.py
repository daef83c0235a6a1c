"""Where an endpoint with a certificate answers on a Ray cluster: over TLS, on a port of its own.

Ray's own proxy has one certificate for all, which it reads once.  The door takes its place for one
endpoint: it hands requests to the replicas as the proxy does, so nothing lies between the two.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.serve import answers
from modelwright.serve.answers import Answer, Refusal
from modelwright.serve.app import Receive, Scope, Send
from modelwright.serve.bodies import BodyReader
from modelwright.serve.certificates import shown_by
from modelwright.serve.http import BACKLOG, Server, address_of, bound
from modelwright.serve.on_ray import left
from modelwright.serve.settings import EndpointSettings

_TICK = 0.02
_PASSED = ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string")

_log = logging.getLogger("ray.serve")


class Door:
    """A deployment of Ray Serve that listens itself.  replicas: the handle of those that answer."""

    def __init__(self, name: str, replicas: Any) -> None:
        self._name = name
        self._folder = tempfile.TemporaryDirectory(prefix="door-", dir=temporary.place())
        self._hall = Hall(replicas)
        self._listener: socket.socket | None = None
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._shown = ""

    async def reconfigure(self, changed: Mapping[str, Any]) -> None:
        """Answer with the certificate that was left for it; Ray Serve calls it, and when that changes."""
        pair = left.pair_of(self._name)
        there = pair.put(Path(self._folder.name))
        settings = EndpointSettings.read({**changed["endpoint"], **there})
        self._hall.change(settings)
        if self._server is None or self._listener is None:
            port = left.port_of(self._name) or changed["port"]
            self._listener = bound(changed["host"], port)
            self._listener.listen(BACKLOG)
            left.note_port(self._name, address_of(self._listener)[1])
            self._server = Server(self._hall)
            self._serving = asyncio.get_running_loop().create_task(
                self._server.serve(sockets=[self._listener.dup()])
            )
            while not self._server.started:
                if self._serving.done():
                    await self._serving
                await asyncio.sleep(_TICK)
        elif shown_by(settings) != self._shown:
            await self._server.reopen(self._listener)
        self._shown = shown_by(settings)
        _log.info(
            "endpoint %s answers over TLS on port %d", self._name, address_of(self._listener)[1]
        )

    def told(self) -> dict[str, Any]:
        """Which certificate it shows."""
        return {"shown": self._shown}

    async def __del__(self) -> None:
        """Answer what has come, then end; Ray Serve calls it."""
        if self._server is not None and self._serving is not None and self._listener is not None:
            self._server.should_exit = True
            await self._serving
            self._listener.close()
            self._server = None


class Hall:
    """The application of a door: it takes requests in and hands them to a replica."""

    def __init__(self, replicas: Any) -> None:
        self._replicas = replicas
        self.draining = False
        self.change(EndpointSettings())

    def change(self, settings: EndpointSettings) -> None:
        """Take other settings from now on."""
        self.settings = settings
        self._bodies = BodyReader(
            limit=settings.max_body_mb * 1_000_000, seconds=settings.body_timeout_s
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have one request answered."""
        if scope["type"] != "http":
            return
        length = next((v for k, v in scope["headers"] if k == b"content-length"), b"")
        try:
            body = await self._bodies.read(receive, int(length) if length.isdigit() else -1)
            if body is None:
                return
            passed = {name: scope[name] for name in _PASSED if name in scope}
            passed["headers"] = [(bytes(k), bytes(v)) for k, v in scope["headers"]]
            status, headers, reply = await self._replicas.pass_on.remote(passed, body)
        except Refusal as refusal:
            await self._tell(refusal.answer, receive, send)
            return
        except Exception:  # noqa: BLE001  # the rim of a door: a replica was lost with the request in its hands
            _log.exception("a request was not answered")
            await self._tell(answers.not_ready("Its replica ended.").answer, receive, send)
            return
        if self.draining:
            headers = [*headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    async def _tell(self, answer: Answer, receive: Receive, send: Send) -> None:
        headers = [*answer.headers]
        if answer.closes or self.draining:
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": int(answer.status), "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body, "more_body": answer.closes})
        if answer.closes:
            await self._bodies.discard(receive)
            await send({"type": "http.response.body", "body": b""})


async def passed_on(app: Any, scope: Scope, body: bytes) -> tuple[int, list[Any], bytes]:
    """What an application answers to a request that has come whole."""
    begun: dict[str, Any] = {"status": HTTPStatus.INTERNAL_SERVER_ERROR, "headers": []}
    parts: list[bytes] = []
    come = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return come.pop() if come else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            begun.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return int(begun["status"]), list(begun["headers"]), b"".join(parts)
