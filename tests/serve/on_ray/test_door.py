"""What the door of an endpoint on Ray does with requests, without a cluster."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from modelwright.serve.app import App
from modelwright.serve.on_ray.door import Hall, passed_on
from modelwright.serve.settings import EndpointSettings

SCORE = "/api/v1/service/cars/score"


class Handle:
    """Stands for the replicas; each request is answered by an application of this process."""

    def __init__(self, *, fails: bool = False) -> None:
        self.pass_on = self
        self.fails = fails
        self.app = App("cars")

    async def remote(self, scope: dict[str, Any], body: bytes) -> tuple[int, list[Any], bytes]:
        if self.fails:
            raise RuntimeError("the replica died")
        return await passed_on(self.app, scope, body)


def asked(
    hall: Hall,
    *,
    method: str = "GET",
    path: str = "/healthz",
    body: bytes = b"",
    chunked: bool = False,
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of the answer to a request."""

    async def work() -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = []
        come = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return come.pop() if come else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        length = [] if chunked else [(b"content-length", b"%d" % len(body))]
        scope = {"type": "http", "method": method, "path": path, "query_string": b""}
        await hall({**scope, "headers": length}, receive, send)
        return said

    begun, *parts = asyncio.run(work())
    return begun["status"], dict(begun["headers"]), b"".join(p["body"] for p in parts)


def test_a_request_is_answered_by_a_replica() -> None:
    status, headers, body = asked(Hall(Handle()))
    assert (status, orjson.loads(body)) == (200, {"status": "alive", "name": "cars"})
    assert headers[b"content-length"] == b"%d" % len(body)
    assert asked(Hall(Handle()), path="/nowhere")[0] == 404


def test_a_door_that_ends_asks_its_callers_to_come_again() -> None:
    hall = Hall(Handle())
    hall.draining = True
    assert asked(hall)[1][b"connection"] == b"close"


def test_a_request_whose_replica_was_lost_is_told_to_be_sent_again() -> None:
    status, headers, body = asked(Hall(Handle(fails=True)), method="POST", path=SCORE)
    assert status == 503
    assert int(headers[b"retry-after"]) > 0
    assert "Its replica ended." in orjson.loads(body)["error"]["message"]


def test_a_body_that_is_too_large_reaches_no_replica() -> None:
    hall = Hall(Handle(fails=True))
    hall.change(EndpointSettings(max_body_mb=1))
    for chunked in (True, False):
        status, headers, _ = asked(
            hall, method="POST", path=SCORE, body=bytes(1_000_001), chunked=chunked
        )
        assert (status, headers[b"connection"]) == (413, b"close")
