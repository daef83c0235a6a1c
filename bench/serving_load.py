"""Load on an endpoint: in a closed loop from Python where there is no wrk, and at random moments.

Run as `python bench/serving_load.py closed PORT CONNECTIONS SECONDS CORE < BODY`, or as
`python bench/serving_load.py open PORT RATE SECONDS CORE PID < BODY`; prints figures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

_CONNECTIONS = 256
_PACE = Path(__file__).with_name("serving_pace.lua")
_EVERY = 0.1
"""Seconds between looks at how long server and generator were kept from their cores."""

_KEPT = 0.015
"""The part of the time from which they count as disturbed by others."""


def closed_loop(
    port: int, body: bytes, connections: int, *, seconds: float, core: int
) -> tuple[float, float]:
    """Median latency in seconds and requests per second; a connection asks again when answered."""
    p50, rate = _in_a_process("closed", port, connections, seconds, body, core)
    return p50, rate


class Served(NamedTuple):
    """A server to load."""

    port: int
    pid: int


class Steady(NamedTuple):
    """What requests at random moments met, in seconds: the median and the 99th percentile of latency.

    calm: the part of the time in which server and generator had their cores, of which p50 and p99 are.  p50_all, p99_all:
    of the whole time.  late: 99th percentile, of the calm time, of how long after it was due a request was sent
    though a connection was free for it, which is the generator's own part.
    """

    p50: float
    p99: float
    calm: float
    p50_all: float
    p99_all: float
    late: float


def open_loop(server: Served, body: bytes, *, rate: float, seconds: float, core: int) -> Steady:
    """Ask so many times per second, at random moments, whether answers have come or not.

    Latency counts from the moment at which a request was due, so that a stall is not overlooked.
    """
    if not shutil.which("wrk"):
        told_of = str(server.pid)
        return Steady(*_in_a_process("open", server.port, rate, seconds, body, core, told_of))
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "body.json", Path(folder) / "told"
        asked.write_bytes(body)
        pinned = ["taskset", "-c", str(core)] if shutil.which("taskset") else []
        subprocess.run(
            [
                *(*pinned, "wrk", "-t1", "-c1", "-d1s", "-s", str(_PACE)),
                *(f"http://127.0.0.1:{server.port}/score", "--", str(server.port), str(rate)),
                *(str(seconds), str(_CONNECTIONS), str(random.getrandbits(30)), str(asked)),
                *(str(told), str(server.pid), str(_EVERY)),
            ],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        looks = np.loadtxt(told.with_suffix(".kept"))
        return _steady(np.fromfile(told).reshape(-1, 3), looks)


def _steady(told: np.ndarray, looks: np.ndarray) -> Steady:
    """Figures of requests (due, took, late) and of looks (when, for how long kept from the cores so far).

    While they are kept from their cores requests pile up, and are worked off in the time after that.
    """
    due, took, late = told.T
    when, kept = looks.T
    disturbed = np.diff(kept) > _KEPT * np.diff(when)
    disturbed[1:] |= disturbed[:-1].copy()
    between = np.searchsorted(when, due, side="right") - 1
    calm = ~disturbed[np.clip(between, 0, len(disturbed) - 1)]
    share = float(calm.mean())
    # Of all the time where none of it was calm: then they are not shown.
    of = calm if share else ~calm
    p50, p99 = map(float, np.percentile(took[of], (50, 99)))
    p50_all, p99_all = map(float, np.percentile(took, (50, 99)))
    return Steady(p50, p99, share, p50_all, p99_all, float(np.percentile(late[of], 99)))


def _in_a_process(
    kind: str, port: int, much: float, seconds: float, body: bytes, core: int, *more: str
) -> list[float]:
    command = [sys.executable, __file__, kind, str(port), str(much), str(seconds), str(core), *more]
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


def _open(server: Served, body: bytes, rate: float, seconds: float) -> Steady:
    """What serving_pace.lua does, slower."""
    head = f"POST /score HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    poll = select.epoll()
    sockets = {}
    for _ in range(_CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        sockets[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    idle = list(sockets)
    asked: dict[int, tuple[float, float]] = {}
    answers = dict.fromkeys(sockets, b"")
    told: list[tuple[float, float, float]] = []
    looks: list[tuple[float, float]] = []
    # Nothing that is made here has to be looked for.
    gc.disable()
    clock = time.monotonic
    due = look = clock()
    until, since = due + seconds, 0.0
    while due < until or asked:
        now = clock()
        if now >= look:
            looks.append((now, _kept(server)))
            look += _EVERY
        while due <= now and idle and due < until:
            number = idle.pop()
            asked[number] = due, now - max(due, since)
            if sockets[number].send(request) < len(request):
                raise SystemExit("a request does not fit into a socket at once")
            due += random.expovariate(rate)
        for number, _ in poll.poll(0.0 if due < until and idle else 0.1):
            answer = answers[number] + sockets[number].recv(262_144)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())
            # Nothing else ends like this; looking for the length would keep requests from being sent on time.
            if answer.endswith(b"}}"):
                was_due, late = asked.pop(number)
                told.append((was_due, clock() - was_due, late))
                if not idle:
                    since = clock()
                idle.append(number)
                answer = b""
            answers[number] = answer
    looks.append((clock(), _kept(server)))
    for connection in sockets.values():
        connection.close()
    return _steady(np.array(told), np.array(looks))


def _kept(server: Served) -> float:
    """Seconds for which server and generator were kept from their cores, and cores from this machine."""
    try:
        waited = sum(
            int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[1])
            for process in (server.pid, "self")
        )
        cores = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    except OSError:
        return 0.0
    return waited * 1e-9 + int(cores.split()[8]) / 100


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

    what, to, much, lasting, core, *more = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    content = sys.stdin.buffer.read()
    if what == "closed":
        result: tuple[float, ...] = uvloop.run(
            _closed(int(to), content, int(float(much)), float(lasting))
        )
    else:
        server = Served(int(to), *map(int, more))
        result = _open(server, content, float(much), float(lasting))
    print(json.dumps(result))
