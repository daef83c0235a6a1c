"""Load on an endpoint from Python: in a closed loop where there is no wrk, and at a steady rate.

Run as `python bench/serving_load.py closed|open PORT CONNECTIONS_OR_RATE SECONDS CORE < BODY`; prints figures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

_CONNECTIONS = 64


def closed_loop(
    port: int, body: bytes, connections: int, *, seconds: float, core: int
) -> tuple[float, float]:
    """Median latency in seconds and requests per second; a connection asks again when answered."""
    p50, rate = _in_a_process("closed", port, connections, seconds, body, core)
    return p50, rate


class Steady(NamedTuple):
    """What requests at a constant rate met, in seconds: the median and the 99th percentile of latency.

    late: 99th percentile of how long after it was due a request was sent, which is the generator's own part.
    """

    p50: float
    p99: float
    late: float


def open_loop(port: int, body: bytes, *, rate: float, seconds: float, core: int) -> Steady:
    """Ask so many times per second, whether answers have come or not, over connections that are free.

    Latency counts from the moment at which a request was due, so that a stall is not overlooked.
    """
    return Steady(*_in_a_process("open", port, rate, seconds, body, core))


def _in_a_process(
    kind: str, port: int, much: float, seconds: float, body: bytes, core: int
) -> list[float]:
    command = [sys.executable, __file__, kind, str(port), str(much), str(seconds), str(core)]
    done = subprocess.run(command, input=body, capture_output=True, check=True)
    return [float(figure) for figure in json.loads(done.stdout)]


class Client(asyncio.Protocol):
    """A connection that sends one request and measures until its answer is whole."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._answer = b""
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def ask(self) -> asyncio.Future[None]:
        """Send the request; done when the answer has come."""
        self._done = asyncio.get_running_loop().create_future()
        self._answer = b""
        self._transport.write(self._request)  # type: ignore[attr-defined]  # it is a stream's
        return self._done

    def data_received(self, data: bytes) -> None:
        """Collect the answer."""
        self._answer += data
        if self._done is not None and _is_whole(self._answer):
            self._done.set_result(None)


async def _connect(port: int, body: bytes, count: int) -> list[Client]:
    head = f"POST /score HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda: Client(request), "127.0.0.1", port)
        for _ in range(count)
    ]
    return [client for _, client in pairs]


async def _closed(port: int, body: bytes, connections: int, seconds: float) -> tuple[float, float]:
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    async def ask(client: Client) -> None:
        while (begun := time.perf_counter()) < until:
            await client.ask()
            latencies.append(time.perf_counter() - begun)

    await asyncio.gather(*(ask(c) for c in await _connect(port, body, connections)))
    return statistics.median(latencies), len(latencies) / seconds


def _open(port: int, body: bytes, rate: float, seconds: float) -> Steady:
    """Straight on the sockets: anything more would be too slow to send on time."""
    head = f"POST /score HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    poll = select.epoll()
    sockets = {}
    for _ in range(_CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        sockets[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    idle = list(sockets)
    asked: dict[int, float] = {}
    answers = dict.fromkeys(sockets, b"")
    latencies: list[float] = []
    late: list[float] = []
    # Nothing that is made here has to be looked for.
    gc.disable()
    clock = time.perf_counter
    due = clock()
    until = due + seconds
    while due < until or asked:
        now = clock()
        while due <= now and idle and due < until:
            number = idle.pop()
            asked[number] = due
            late.append(now - due)
            if sockets[number].send(request) < len(request):
                raise SystemExit("a request does not fit into a socket at once")
            due += 1 / rate
        wait = 0.0 if due < until and idle else 0.1
        for number, _ in poll.poll(max(0.0, wait)):
            answer = answers[number] + sockets[number].recv(262_144)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())
            # Nothing else ends like this; looking for the length would keep requests from being sent on time.
            if answer.endswith(b"}}"):
                latencies.append(clock() - asked.pop(number))
                idle.append(number)
                answer = b""
            answers[number] = answer
    for connection in sockets.values():
        connection.close()
    return Steady(statistics.median(latencies), _percentile(latencies), _percentile(late))


def _percentile(seconds: list[float]) -> float:
    """The 99th."""
    return sorted(seconds)[int(len(seconds) * 0.99)]


def _is_whole(answer: bytes) -> bool:
    head, blank, rest = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(head.decode())
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    return len(rest) >= length


if __name__ == "__main__":
    import uvloop

    what, to, much, lasting, core = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    content = sys.stdin.buffer.read()
    if what == "closed":
        result: tuple[float, ...] = uvloop.run(
            _closed(int(to), content, int(float(much)), float(lasting))
        )
    else:
        result = _open(int(to), content, float(much), float(lasting))
    print(json.dumps(result))
