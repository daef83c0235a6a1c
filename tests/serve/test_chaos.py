"""What may happen to an endpoint, and what was promised for it; in short form, on real processes."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from modelwright.serve.endpoint import Endpoints
from modelwright.serve.keys import Keys
from modelwright.serve.status import EndpointStatus, State
from tests.inference.cars import car_request
from tests.serve.replicas import package
from tests.waiting import until

KEYS = Keys.new()
HEADERS = {"Authorization": f"Bearer {KEYS.primary}"}


class Callers:
    """Clients that call all the time on connections of their own; what became of each call."""

    def __init__(self, url: str, count: int) -> None:
        self.answered: list[int] = []
        self.failed: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]

    def _call(self) -> None:
        with httpx.Client(headers=HEADERS, timeout=30) as client:
            while not self._over.is_set():
                try:
                    response = client.post(self._url, content=car_request())
                    self.answered.append(response.status_code)
                except httpx.TransportError as error:
                    self.failed.append(repr(error))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def calling(status: EndpointStatus, count: int) -> Iterator[Callers]:
    callers = Callers(status.scoring_url, count)
    callers.start()
    try:
        yield callers
    finally:
        callers.stop()


def test_killing_replicas_fails_at_most_the_requests_in_their_hands(
    endpoints: Endpoints, cars: Path
) -> None:
    deployment = {"min_replicas": 2, "autoscale": False}
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment=deployment)
    callers, kills = 3, 4
    with calling(status, callers) as found:
        for _ in range(kills):
            until(lambda: len(endpoints.status("cars").replicas) == 2)
            victim = random.choice(endpoints.status("cars").replicas)
            os.kill(victim, signal.SIGKILL)
            until(lambda victim=victim: victim not in endpoints.status("cars").replicas)  # type: ignore[misc]
            time.sleep(0.1)
        before = len(found.answered)
        until(lambda: len(found.answered) > before + 20)
    assert set(found.answered) == {200}
    assert len(found.failed) <= callers * kills


def test_killing_controllers_again_and_again_fails_no_request(
    endpoints: Endpoints, cars: Path
) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    with calling(status, 2) as found:
        for _ in range(3):
            pid = endpoints.status("cars").pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            killed = time.monotonic()
            until(lambda pid=pid: endpoints.status("cars").pid != pid)  # type: ignore[misc]
            until(lambda: endpoints.status("cars").state is State.HEALTHY)
            assert time.monotonic() - killed < 10
    assert found.failed == []
    assert set(found.answered) == {200}
    assert endpoints.status("cars").replicas == status.replicas


def test_ten_deployments_in_a_row_fail_no_request(
    endpoints: Endpoints, cars: Path, tmp_path: Path
) -> None:
    labels = package(tmp_path, chosen=("Scored Labels",))
    status = endpoints.deploy("cars", cars, keys=KEYS)
    with calling(status, 2) as found:
        for n in range(10):
            endpoints.deploy("cars", labels if n % 2 == 0 else cars, keys=KEYS)
    assert found.failed == []
    assert set(found.answered) == {200}


def test_scaling_in_and_out_fails_no_request(endpoints: Endpoints, cars: Path) -> None:
    quick = {"refresh_period_s": 0.1, "calm_s": 0.5, "autoscale": False}
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment=quick)
    with calling(status, 4) as found:
        for count in (3, 1, 4, 2):
            endpoints.change("cars", deployment={"min_replicas": count})
            until(lambda count=count: len(endpoints.status("cars").replicas) == count)  # type: ignore[misc]
            before = len(found.answered)
            until(lambda before=before: len(found.answered) > before + 20)  # type: ignore[misc]
    assert found.failed == []
    assert set(found.answered) == {200}


def test_replicas_of_formulas_become_more_under_load_and_fewer_after_it(
    endpoints: Endpoints, cars: Path
) -> None:
    eager = {"target_utilization": 5, "max_replicas": 3, "refresh_period_s": 0.2, "calm_s": 1.0}
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment=eager)
    with calling(status, 4) as found:
        until(lambda: len(endpoints.status("cars").replicas) >= 2)
    until(lambda: len(endpoints.status("cars").replicas) == 1)
    assert found.failed == []
    assert set(found.answered) == {200}


def test_without_requests_no_replica_is_left_and_the_next_request_wakes_one(
    endpoints: Endpoints, cars: Path
) -> None:
    sleepy = {"min_replicas": 0, "refresh_period_s": 0.1, "calm_s": 0.3}
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment=sleepy)
    until(lambda: endpoints.status("cars").replicas == ())
    assert endpoints.status("cars").state is State.HEALTHY
    response = httpx.post(status.scoring_url, content=car_request(), headers=HEADERS, timeout=10)
    assert response.status_code == 200


def test_many_first_requests_at_once_wake_an_endpoint_and_all_are_answered(
    endpoints: Endpoints, cars: Path
) -> None:
    sleepy = {"min_replicas": 0, "refresh_period_s": 0.1, "calm_s": 0.2}
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment=sleepy)

    def call(_: int) -> int:
        return httpx.post(
            status.scoring_url, content=car_request(), headers=HEADERS, timeout=60
        ).status_code

    with ThreadPoolExecutor(50) as callers:
        for _ in "12":
            until(lambda: endpoints.status("cars").replicas == ())
            assert set(callers.map(call, range(50))) == {200}
    until(lambda: endpoints.status("cars").replicas == ())
    # It is not woken by looking at what it used itself, many times.
    (log,) = endpoints.logs("cars")
    said = log.read_text(encoding="utf-8")
    time.sleep(1.0)
    assert endpoints.status("cars").replicas == ()
    assert log.read_text(encoding="utf-8") == said


SHIFTED = """
import time

real = time.time

def shifted():
    with open({path!r}) as file:
        return real() + float(file.read() or 0)

time.time = shifted
"""


def test_a_clock_that_jumps_fails_no_request_and_ends_nothing(
    endpoints: Endpoints, cars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python runs such a file when it starts: the processes of the endpoint read another clock.
    jump = tmp_path / "jump"
    jump.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(path=str(jump)))
    already = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path), already])))
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment={"refresh_period_s": 0.1})
    with calling(status, 2) as found:
        for seconds in ("3600", "-86400", "5"):
            draft = tmp_path / "draft"
            draft.write_text(seconds)
            draft.replace(jump)
            until(lambda seconds=seconds: abs(_ahead(status) - float(seconds)) < 60)  # type: ignore[misc]
            before = len(found.answered)
            until(lambda before=before: len(found.answered) > before + 50)  # type: ignore[misc]
    now = endpoints.status("cars")
    assert found.failed == []
    assert set(found.answered) == {200}
    assert (now.state, now.pid, now.replicas) == (State.HEALTHY, status.pid, status.replicas)


def _ahead(status: EndpointStatus) -> float:
    """By how many seconds the clock of a replica is ahead of ours."""
    said = httpx.get(f"http://{status.host}:{status.port}/healthz").headers["date"]
    return parsedate_to_datetime(said).timestamp() - time.time()


def test_idle_half_open_and_garbled_connections_disturb_nobody(
    endpoints: Endpoints, cars: Path
) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    rng = random.Random(7)
    with ExitStack() as stack:
        for n in range(1000):
            connection = socket.create_connection((status.host, status.port), timeout=10)
            stack.callback(connection.close)
            if n % 4 == 1:
                connection.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Le")
            if n % 4 == 2:
                connection.sendall(rng.randbytes(100))
            if n % 4 == 3:
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.sendall(b"POST /score HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
                connection.close()
        started = time.monotonic()
        response = httpx.post(
            status.scoring_url, content=car_request(), headers=HEADERS, timeout=30
        )
        assert response.status_code == 200
        assert time.monotonic() - started < 30
    assert endpoints.status("cars").state is State.HEALTHY


def test_a_client_that_reads_slowly_holds_up_nobody_else(endpoints: Endpoints, cars: Path) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    rows = json.loads(car_request())["Inputs"]["WebServiceInput0"] * 20_000
    body = car_request(*rows)
    head = f"POST /score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEYS.primary}\r\n"
    with socket.create_connection((status.host, status.port), timeout=60) as slow:
        slow.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        slow.recv(10)
        # It has asked for ten megabytes and takes in nothing more of them.
        for _ in range(5):
            started = time.monotonic()
            response = httpx.post(
                status.scoring_url, content=car_request(), headers=HEADERS, timeout=30
            )
            assert response.status_code == 200
            assert time.monotonic() - started < 20
