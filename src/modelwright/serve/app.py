"""The HTTP door of a replica: a thin ASGI application."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson

from modelwright.inference.errors import InputDataError, StepFailed
from modelwright.inference.scorer import ROWS, Shape
from modelwright.serve import answers, open_protocol
from modelwright.serve.answers import Answer, Headers, Refusal
from modelwright.serve.bodies import BodyReader
from modelwright.serve.exposition import KIND, exposition
from modelwright.serve.gathering import Answered, Gathered, Gathering
from modelwright.serve.keys import Lock
from modelwright.serve.limits import memory_bound
from modelwright.serve.live import Live
from modelwright.serve.meters import Meter
from modelwright.serve.open_protocol import Asked
from modelwright.serve.settings import EndpointSettings

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Coroutine[Any, Any, Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("modelwright.replica")

_LONGEST_ID = 128
_ID = b"x-ms-request-id"
_KIND = (b"content-type", b"application/json")
_VISIBLE = frozenset(range(0x21, 0x7F))


class App:
    """Answers the requests of an endpoint with what is deployed at the moment.

    scoring: the addresses of requests to score.  lock: what the keys of callers open; None lets
    everybody in.  draining: every connection is closed
    by its next answer.  shed: how many are, so that their clients come to other replicas.
    metrics: the file in which a controller tells of all replicas; None for what this one has counted.
    """

    def __init__(
        self,
        name: str,
        *,
        lock: Lock | None = None,
        settings: EndpointSettings | None = None,
    ) -> None:
        self.name = name
        self.lock = lock
        self.live: Live | None = None
        self.draining = False
        self.shed = 0
        self.answered = 0
        self.meter = Meter()
        self.metrics: Path | None = None
        self.gathering = Gathering(self.all_at_once)
        self.change(settings or EndpointSettings())
        self._prefix = os.urandom(8).hex().encode() + b"-"
        self._ids = count(1)
        base = f"/api/v1/service/{name}"
        self.scoring = frozenset((b"/score", f"{base}/score".encode()))
        self._routes: dict[str, tuple[str, _Page | None]] = {
            "/score": ("POST", None),
            f"{base}/score": ("POST", None),
            "/": ("GET", _healthy),
            "/healthz": ("GET", _alive),
            "/readyz": ("GET", _ready),
            "/metrics": ("GET", _metrics),
        }
        for place in ("", base):
            self._routes[f"{place}/openapi.json"] = ("GET", _openapi)
            self._routes[f"{place}/swagger.json"] = ("GET", _swagger)

    def change(self, settings: EndpointSettings) -> None:
        """Take other settings from now on."""
        self.settings = settings
        self.bodies = BodyReader(
            limit=settings.max_body_mb * 1_000_000, seconds=settings.body_timeout_s
        )
        self._origins = frozenset(settings.allowed_origins)

    def at_once(
        self, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> tuple[bytes, bytes] | None:
        """Id and reply of a request to score; None for one that goes the longer way.

        That way is for all that is refused, that has to wait, or that a web page sends.
        """
        started = time.perf_counter()
        found = self.let_in(headers)
        if found is None:
            return None
        live, given = found
        try:
            reply = live.at_once(body)
        except Exception:  # noqa: BLE001  # it happens again on the longer way, which tells of it
            return None
        if reply is None:
            return None
        self.answered += 1
        self.meter.count(200, time.perf_counter() - started)
        return self._request_id(given), reply

    def all_at_once(self, requests: Sequence[Gathered]) -> list[Answered]:
        """The same for requests that came at the same time and have been let in."""
        score = self.live.all_at_once if self.live is not None else None
        if score is None:
            return [None] * len(requests)
        try:
            replies = score([request.body for request in requests])
        except Exception:  # noqa: BLE001  # it happens again on the longer way, which tells of it
            return [None] * len(requests)
        now = time.perf_counter()
        found: list[Answered] = []
        for (given, _, came), reply in zip(requests, replies, strict=True):
            if reply is None:
                found.append(None)
                continue
            self.answered += 1
            self.meter.count(200, now - came)
            found.append((self._request_id(given), reply))
        return found

    def let_in(self, headers: Sequence[tuple[bytes, bytes]]) -> tuple[Live, bytes] | None:
        """Who scores at once, and the id that came along; None for a request that goes the longer way."""
        live = self.live
        if live is None or self.draining or self.shed or live.settings.diagnostics:
            return None
        given = token = b""
        for name, value in headers:
            if name == b"authorization":
                token = value
            elif name == b"origin":
                return None
            elif name == _ID:
                given = value
        try:
            if self.lock is not None:
                self._admit(token)
        except Exception:  # noqa: BLE001  # it happens again on the longer way, which tells of it
            return None
        return live, given

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        given = token = origin = b""
        length = -1
        for name, value in scope["headers"]:
            if name == b"authorization":
                token = value
            elif name == b"content-length":
                length = int(value) if value.isdigit() else -1
            elif name == b"origin":
                origin = value
            elif name == _ID:
                given = value
        request_id = self._request_id(given)
        extra: Headers = ((_ID, request_id),)
        if origin:
            extra = (*extra, *self._cross_origin(origin))
        path: str = scope["path"]
        verb, page = self._routes.get(path, ("", None))
        if not verb and (path == "/v2" or path.startswith("/v2/")):
            await self._open_protocol(scope, receive, send, (token, length, extra, request_id))
            return
        if verb == "POST" == scope["method"]:
            await self._score(scope, receive, send, (token, length, extra, request_id))
            return
        try:
            answer = self._other(scope, token, verb, page, origin)
        except Refusal as refusal:
            answer = refusal.answer
        except Exception:  # noqa: BLE001  # the rim of a replica: told by its reference, logged in full
            answer = self._unexpected(request_id).answer
        self.answered += 1
        await _send(send, answer, extra, closes=self.draining)

    async def _score(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        known: tuple[bytes, int, Headers, bytes],
    ) -> None:
        token, length, extra, request_id = known
        started = time.perf_counter()
        live = self.live
        try:
            if self.lock is not None:
                self._admit(token)
            if live is None:
                raise answers.not_ready("Nothing is deployed yet.")
            body = await self.bodies.read(receive, length)
            if body is None:
                return
            # While the body arrived another deployment may have taken over.
            live = self.live or live
            query = scope["query_string"]
            reply = await live.lane.answer(body, _shape(query) if query else ROWS)
        except Refusal as refusal:
            answer = refusal.answer
        except (InputDataError, StepFailed) as error:
            answer = answers.refused(error).answer
        except MemoryError:
            answer = self._out_of_memory(request_id).answer
        except Exception:  # noqa: BLE001  # the rim of a replica: told by its reference, logged in full
            answer = self._unexpected(request_id).answer
        else:
            # The usual way out, written without a detour.
            headers = [_KIND, (b"content-length", b"%d" % len(reply)), *extra]
            if self.draining or self.shed:
                self.shed = max(0, self.shed - 1)
                headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": reply})
            self.answered += 1
            self.meter.count(200, time.perf_counter() - started)
            if live.settings.diagnostics:
                _note(scope, HTTPStatus.OK, started, len(body), request_id)
            return
        self.answered += 1
        self.meter.count(answer.status, time.perf_counter() - started)
        if live is not None and live.settings.diagnostics:
            _note(scope, answer.status, started, max(0, length), request_id)
        await _send(send, answer, extra, closes=self.draining, more=answer.closes)
        if answer.closes:
            # Closing at once would reset the connection before the sender has read the answer.
            await self.bodies.discard(receive)
            await send({"type": "http.response.body", "body": b""})

    async def _open_protocol(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        known: tuple[bytes, int, Headers, bytes],
    ) -> None:
        token, length, extra, request_id = known
        started = time.perf_counter()
        live, method = self.live, scope["method"]
        try:
            asked = Asked(scope["path"])
            if method == "OPTIONS":
                origin = next((v for k, v in scope["headers"] if k == b"origin"), b"")
                answer = self._preflight(asked.verb, origin)
            else:
                asked.check(method)
                if not asked.is_open and self.lock is not None:
                    self._admit(token)
                if asked.verb == "GET":
                    answer = open_protocol.page(asked, self.name, live, draining=self.draining)
                else:
                    body = await self.bodies.read(receive, length)
                    if body is None:
                        return
                    live = self.live
                    answer = await open_protocol.infer(
                        asked,
                        self.name,
                        live,
                        body,
                        scope["headers"],
                        limit=self.bodies.limit,
                    )
        except Refusal as refusal:
            answer = open_protocol.as_error(refusal.answer)
        except (InputDataError, StepFailed) as error:
            answer = open_protocol.as_error(error)
        except MemoryError:
            answer = open_protocol.as_error(self._out_of_memory(request_id).answer)
        except Exception:  # noqa: BLE001  # the rim of a replica: told by its reference, logged in full
            answer = open_protocol.as_error(self._unexpected(request_id).answer)
        self.answered += 1
        if method == "POST":
            self.meter.count(answer.status, time.perf_counter() - started)
        if live is not None and live.settings.diagnostics and method == "POST":
            _note(scope, answer.status, started, max(0, length), request_id)
        await _send(send, answer, extra, closes=self.draining, more=answer.closes)
        if answer.closes:
            await self.bodies.discard(receive)
            await send({"type": "http.response.body", "body": b""})

    def _preflight(self, verb: str, origin: bytes) -> Answer:
        headers: Headers = ((b"allow", f"{verb}, OPTIONS".encode()),)
        if self._allows(origin):
            headers = (
                *headers,
                (b"access-control-allow-methods", verb.encode()),
                (b"access-control-allow-headers", b"authorization, content-type, " + _ID),
                (b"access-control-max-age", b"600"),
            )
        return Answer(HTTPStatus.NO_CONTENT, b"", headers=headers)

    def _other(
        self, scope: Scope, token: bytes, verb: str, page: _Page | None, origin: bytes
    ) -> Answer:
        method = scope["method"]
        if not verb:
            raise answers.not_found(scope["path"], self._routes)
        if method == "OPTIONS":
            return self._preflight(verb, origin)
        if page is None or method not in (verb, "HEAD"):
            verbs = (verb, "HEAD", "OPTIONS") if verb == "GET" else (verb, "OPTIONS")
            raise answers.method_not_allowed(method, verbs)
        if page in _DOCUMENTS and self.lock is not None:
            # They show sample rows, or how much there is to do.
            self._admit(token)
        return page(self)

    def _admit(self, token: bytes) -> None:
        scheme, _, key = token.partition(b" ")
        if scheme.lower() != b"bearer" or not key:
            raise answers.unauthorized(given=bool(token))
        if self.lock is not None and not self.lock.admits(key.strip()):
            raise answers.unauthorized(given=True)

    def _request_id(self, given: bytes) -> bytes:
        """The caller's own id where it can stand in a header and in a log, else a new one."""
        if given and len(given) <= _LONGEST_ID and _VISIBLE.issuperset(given):
            return given
        return self._prefix + b"%d" % next(self._ids)

    def _allows(self, origin: bytes) -> bool:
        return bool(origin) and not self._origins.isdisjoint(("*", origin.decode("latin-1")))

    def _cross_origin(self, origin: bytes) -> Headers:
        if "*" in self._origins:
            return ((b"access-control-allow-origin", b"*"),)
        if self._allows(origin):
            return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))
        return ((b"vary", b"Origin"),) if self._origins else ()

    def _out_of_memory(self, request_id: bytes) -> Refusal:
        """What is told of a request for which the process may not have enough memory."""
        gigabytes = memory_bound()["gb"]
        return answers.out_of_memory(gigabytes) if gigabytes else self._unexpected(request_id)

    def _unexpected(self, request_id: bytes) -> Refusal:
        reference = request_id.decode()
        _log.exception("request %s failed", reference)
        return answers.unexpected(reference)


_Page = Callable[[App], Answer]


def _healthy(app: App) -> Answer:
    if app.live is None:
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"Transitioning", kind=answers.TEXT)
    return Answer(HTTPStatus.OK, b"Healthy", kind=answers.TEXT)


def _alive(app: App) -> Answer:
    return Answer(HTTPStatus.OK, orjson.dumps({"status": "alive", "name": app.name}))


def _ready(app: App) -> Answer:
    ready = app.live is not None and not app.draining
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(status, orjson.dumps({"status": "ready" if ready else "not ready"}))


def _openapi(app: App) -> Answer:
    return Answer(HTTPStatus.OK, _deployed(app).openapi(keys=app.lock is not None))


def _swagger(app: App) -> Answer:
    return Answer(HTTPStatus.OK, _deployed(app).swagger(keys=app.lock is not None))


def _metrics(app: App) -> Answer:
    """What Prometheus reads, of all replicas where a controller tells of them."""
    try:
        text = app.metrics.read_bytes() if app.metrics else b""
    except OSError:
        # The controller has told nothing yet.
        text = b""
    if not text:
        text = exposition(app.name, app.meter, replicas=1, wanted=1).encode()
    return Answer(HTTPStatus.OK, text, kind=KIND)


_DOCUMENTS: tuple[_Page, ...] = (_openapi, _swagger, _metrics)


def _deployed(app: App) -> Live:
    if app.live is None:
        raise answers.not_ready("Nothing is deployed yet.")
    return app.live


def _shape(query: bytes) -> Shape:
    """How the query asks requests and replies to be written."""
    found = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    tables = found.get("format", ["swagger"])[-1].lower() != "swagger"
    return Shape(tables, found.get("details", ["false"])[-1].lower() == "true")


async def _send(
    send: Send, answer: Answer, extra: Headers, *, closes: bool, more: bool = False
) -> None:
    headers = [*answer.headers, *extra]
    if answer.closes or closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": more})


def _note(scope: Mapping[str, Any], status: int, started: float, size: int, number: bytes) -> None:
    _log.info(
        "%s %s %d %.1f ms %d bytes %s",
        scope["method"],
        scope["path"],
        status,
        (time.perf_counter() - started) * 1000,
        size,
        number.decode(),
    )
