"""Requests that come at the same moment are scored together, each answered as if it had come alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from modelwright.serve.app import App
from modelwright.serve.http import Server, address_of, bound
from modelwright.serve.settings import DeploymentSettings


class Scoring:
    """Says what it was asked in capitals; `lane` is the longer way, which "long" has to go."""

    settings = DeploymentSettings()

    def __init__(self) -> None:
        self.together: list[list[bytes]] = []
        self.breaks = False

    @property
    def lane(self) -> Scoring:
        return self

    def at_once(self, body: bytes) -> bytes | None:
        return None if body == b"long" else body.upper()

    def all_at_once(self, bodies: Sequence[bytes]) -> list[bytes | None]:
        if self.breaks:
            raise RuntimeError
        self.together.append(list(bodies))
        return [self.at_once(body) for body in bodies]

    async def answer(self, body: bytes, shape: object) -> bytes:
        await asyncio.sleep(0)
        return b"the longer way: " + body


def post(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /score HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


Talk = Callable[[App, Scoring, list[socket.socket]], Awaitable[None]]


def served(connections: int, talk: Talk) -> None:
    async def run() -> None:
        app, scoring = App("gathered"), Scoring()
        app.live = cast("Any", scoring)
        listener = bound("127.0.0.1", 0)
        listener.listen()
        server = Server(app)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        clients = [socket.create_connection(address_of(listener)) for _ in range(connections)]
        async with asyncio.timeout(60):
            while len(server.server_state.connections) < connections:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            for client in clients:
                client.setblocking(False)
            await talk(app, scoring, clients)
            for client in clients:
                client.close()
            server.should_exit = True
            await serving

    asyncio.run(run())


async def answers(client: socket.socket, *bodies: bytes) -> bytes:
    """What the client gets, up to the last of these bodies."""
    loop, found = asyncio.get_running_loop(), b""
    while not found.endswith(b"\r\n\r\n" + bodies[-1]):
        part = await loop.sock_recv(client, 65_536)
        assert part, found
        found += part
    places = [found.index(b"\r\n\r\n" + body) for body in bodies]
    assert places == sorted(places)
    return found


def test_what_comes_at_once_is_scored_together_and_everybody_gets_his_own() -> None:
    async def talk(app: App, scoring: Scoring, clients: list[socket.socket]) -> None:
        for number, client in enumerate(clients):
            client.send(post(b"body %d" % number, b"x-ms-request-id: id-%d" % number))
        for number, client in enumerate(clients):
            found = await answers(client, b"BODY %d" % number)
            assert b"x-ms-request-id: id-%d\r\n" % number in found
        assert sorted(len(b) for b in scoring.together) == [len(clients)]
        assert app.meter.requests == app.answered == len(clients)

    served(8, talk)


def test_few_connections_do_not_gather() -> None:
    async def talk(app: App, scoring: Scoring, clients: list[socket.socket]) -> None:
        for client in clients:
            client.send(post(b"a"))
        for client in clients:
            await answers(client, b"A")
        assert scoring.together == []
        assert app.meter.requests == len(clients)

    served(3, talk)


def test_what_must_go_the_longer_way_does_and_the_others_do_not_wait_for_it() -> None:
    async def talk(app: App, scoring: Scoring, clients: list[socket.socket]) -> None:
        for number, client in enumerate(clients):
            client.send(post(b"long" if number == 2 else b"short"))
        for number, client in enumerate(clients):
            await answers(client, b"the longer way: long" if number == 2 else b"SHORT")
        assert app.meter.requests == len(clients)
        scoring.breaks = True
        for client in clients:
            client.send(post(b"short"))
        for client in clients:
            await answers(client, b"the longer way: short")

    served(5, talk)


def test_requests_in_a_row_on_one_connection_are_answered_in_order() -> None:
    async def talk(app: App, scoring: Scoring, clients: list[socket.socket]) -> None:
        for client in clients:
            client.send(post(b"first") + post(b"second") + post(b"third"))
        for client in clients:
            await answers(client, b"FIRST", b"SECOND", b"THIRD")

    served(4, talk)


def test_one_that_goes_the_longer_way_is_answered_before_those_behind_it() -> None:
    async def talk(app: App, scoring: Scoring, clients: list[socket.socket]) -> None:
        for client in clients:
            client.send(post(b"long") + post(b"second"))
        for client in clients:
            await answers(client, b"the longer way: long", b"the longer way: second")

    served(4, talk)


def test_what_is_not_http_is_refused_after_the_answer_to_what_was() -> None:
    async def talk(app: App, scoring: Scoring, clients: list[socket.socket]) -> None:
        clients[0].send(post(b"good") + b"\x00garbage\r\n\r\n")
        for client in clients[1:]:
            client.send(post(b"other"))
        found = b""
        loop = asyncio.get_running_loop()
        while part := await loop.sock_recv(clients[0], 65_536):
            found += part
        assert 0 < found.index(b"GOOD") < found.index(b"HTTP/1.1 400 ")
        for client in clients[1:]:
            await answers(client, b"OTHER")

    served(4, talk)


def test_one_who_goes_away_disturbs_nobody() -> None:
    async def talk(app: App, scoring: Scoring, clients: list[socket.socket]) -> None:
        for client in clients:
            client.send(post(b"a"))
        clients[0].close()
        for client in clients[1:]:
            await answers(client, b"A")

    served(6, talk)
