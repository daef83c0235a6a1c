"""Shadows and collected data: copies that nobody waits for, on real processes."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from modelwright.serve.differences import difference
from modelwright.serve.endpoint import Endpoints
from modelwright.serve.keys import Keys
from modelwright.serve.status import EndpointStatus
from modelwright.serve.target import Offer
from tests.inference.cars import car_request
from tests.waiting import until

KEYS = Keys.new()


def call(status: EndpointStatus, times: int) -> list[httpx.Response]:
    headers = {"Authorization": f"Bearer {KEYS.primary}"}
    with httpx.Client(headers=headers, timeout=30) as client:
        return [client.post(status.scoring_url, content=car_request()) for _ in range(times)]


def compared(endpoints: Endpoints, number: int) -> dict[str, Any]:
    (found,) = [d for d in endpoints.status("cars").deployments if d["number"] == number]
    return dict(found["compared"] or {})


def test_a_shadow_scores_copies_and_its_differences_are_counted(
    endpoints: Endpoints, cars: Path, labels: Path
) -> None:
    offers = {
        1: Offer(cars),
        2: Offer(labels, share=0, shadow=50),
        3: Offer(cars, share=0, shadow=100),
    }
    status = endpoints.apply("cars", offers, keys=KEYS)
    until(
        lambda: (
            call(status, 1)[0].status_code == 200 and compared(endpoints, 3).get("copies", 0) > 0
        )
    )
    before = [compared(endpoints, n).get("copies", 0) for n in (2, 3)]
    replies = call(status, 20)
    assert {r.status_code for r in replies} == {200}
    # Callers only ever get the answers of the first.
    assert {len(r.json()["Results"]["WebServiceOutput0"][0]) > 20 for r in replies} == {True}
    until(lambda: compared(endpoints, 2).get("copies", 0) >= before[0] + 10)
    until(lambda: compared(endpoints, 3).get("copies", 0) >= before[1] + 20)
    other, same = compared(endpoints, 2), compared(endpoints, 3)
    assert other["different"] == other["copies"]
    assert "WebServiceOutput0, row 0" in other["example"]
    assert (same["different"], same["failed"], same["largest"]) == (0, 0, 0.0)
    assert same["mean_ms"] > 0


def test_a_shadow_that_dies_or_hangs_is_felt_by_nobody(endpoints: Endpoints, cars: Path) -> None:
    offers = {1: Offer(cars), 2: Offer(cars, share=0, shadow=100)}
    status = endpoints.apply("cars", offers, keys=KEYS)
    until(
        lambda: (
            call(status, 1)[0].status_code == 200 and compared(endpoints, 2).get("copies", 0) > 0
        )
    )
    state = json.loads((endpoints.root / "cars" / "state.json").read_text())
    ((shadow, _),) = state["nurseries"]
    os.kill(shadow, signal.SIGSTOP)
    assert {r.status_code for r in call(status, 50)} == {200}
    os.kill(shadow, signal.SIGKILL)
    assert {r.status_code for r in call(status, 50)} == {200}
    # Another takes its place and counts anew.
    until(
        lambda: (
            call(status, 1)[0].status_code == 200
            and 0 < compared(endpoints, 2).get("copies", 0) < 50
        )
    )


def test_requests_and_replies_are_kept_as_json_lines(endpoints: Endpoints, cars: Path) -> None:
    settings = {"data_collection": True, "collection_share": 50}
    status = endpoints.apply("cars", {1: Offer(cars, settings)}, keys=KEYS)
    folder = endpoints.root / "cars" / "collected" / "1"

    def kept() -> list[dict[str, Any]]:
        files = sorted(folder.glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    until(lambda: bool(call(status, 2) and kept()))
    before = len(kept())
    call(status, 20)
    until(lambda: len(kept()) >= before + 10)
    record = kept()[-1]
    assert record["deployment"] == 1
    assert record["request"] == json.loads(car_request())
    assert "Scored Labels" in record["reply"]["Results"]["WebServiceOutput0"][0]
    # It can be ended while the endpoint serves.
    endpoints.change("cars", deployment={"data_collection": False})
    until(lambda: call(status, 1)[0].status_code == 200)
    now = len(kept())
    call(status, 10)
    assert len(kept()) == now


def test_requests_and_replies_are_kept_as_parquet(endpoints: Endpoints, cars: Path) -> None:
    settings = {"data_collection": True, "collection_format": "parquet"}
    status = endpoints.apply("cars", {1: Offer(cars, settings)}, keys=KEYS)
    folder = endpoints.root / "cars" / "collected" / "1"
    time.sleep(0.6)
    call(status, 12)
    time.sleep(0.3)
    endpoints.stop("cars")
    (file,) = folder.glob("*.parquet")
    frame = pl.read_parquet(file)
    assert frame.height >= 10
    assert {"at", "deployment", "request.make", "reply.Scored Labels"} <= set(frame.columns)


@pytest.mark.parametrize(
    ("first", "second", "rows", "largest"),
    [
        ({"a": 1.0}, {"a": 1.0 + 1e-12}, 0, 0.0),
        ({"a": 2.0}, {"a": 1.0}, 1, 0.5),
        ({"a": 1.0}, {"a": None}, 1, float("inf")),
        ({"a": "x"}, {"a": "x", "b": 1}, 1, float("inf")),
    ],
)
def test_replies_are_compared_value_by_value(
    first: dict[str, Any], second: dict[str, Any], rows: int, largest: float
) -> None:
    def reply(row: dict[str, Any]) -> bytes:
        return json.dumps({"Results": {"out": [row]}}).encode()

    found = difference(reply(first), reply(second))
    assert (found.rows, found.largest) == (rows, largest)
    assert bool(found.where) == bool(rows)


def test_replies_written_as_tables_are_compared_too() -> None:
    def reply(*rows: list[Any]) -> bytes:
        table = {"ColumnNames": ["a", "b"], "Values": [*rows]}
        return json.dumps({"out": {"type": "DataTable", "value": table}}).encode()

    assert difference(reply([1, 2]), reply([1.0, 2.0])).rows == 0
    assert difference(reply([1, 2], [3, 4]), reply([1, 2])).rows == 1
    assert difference(reply([1, 2]), reply([1, 9])).where == "out, row 0, b: 9 instead of 2"
