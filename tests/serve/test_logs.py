"""The log of an endpoint is turned over, and those who write to it notice nothing."""

from __future__ import annotations

from pathlib import Path

import httpx

from modelwright.serve.endpoint import Endpoints
from modelwright.serve.keys import Keys
from modelwright.serve.logs import turn_over
from tests.inference.cars import car_request
from tests.serve.replicas import package
from tests.waiting import until


def test_a_large_log_is_put_aside_and_the_oldest_is_forgotten(tmp_path: Path) -> None:
    log = tmp_path / "endpoint.log"
    turn_over(log)
    # Another process has it open all the time.
    with log.open("ab", buffering=0) as file:
        for number in range(5):
            file.write(b"%d" % number * 10)
            turn_over(log, largest=5, kept=3)
        assert log.read_bytes() == b""
        file.write(b"small")
        turn_over(log, largest=5, kept=3)
    assert log.read_bytes() == b"small"
    aside = {p.name: p.read_bytes()[:1] for p in tmp_path.glob("endpoint.log.*")}
    assert aside == {"endpoint.log.1": b"4", "endpoint.log.2": b"3", "endpoint.log.3": b"2"}


def test_the_log_of_a_serving_endpoint_is_turned_over_and_told_oldest_first(
    tmp_path: Path,
) -> None:
    endpoints = Endpoints(tmp_path / "endpoints")
    talkative = {"diagnostics": True}
    try:
        status = endpoints.deploy("cars", package(tmp_path), keys=Keys.new(), deployment=talkative,
                                  endpoint={"auth": "none"})  # fmt: skip
        (log,) = endpoints.logs("cars")
        with log.open("ab") as file:
            file.write(b"a line of the past\n" * 300_000)
        until(lambda: len(endpoints.logs("cars")) == 2, 120)
        until(lambda: log.stat().st_size < 1_000_000, 120)
        answer = httpx.post(status.scoring_url, content=car_request(), timeout=30)
        assert answer.status_code == 200
        until(lambda: b"POST" in log.read_bytes(), 60)
        assert endpoints.logs("cars")[-1] == log
        assert b"a line of the past" in endpoints.logs("cars")[0].read_bytes()
    finally:
        for name in endpoints.names():
            endpoints.remove(name)
