"""What is counted, and what is told of it."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serve.history import KEPT, History, recent_of, together
from modelwright.serve.meters import Meter, Meters, total


@given(st.lists(st.floats(0.0001, 30), min_size=1, max_size=200))
@settings(max_examples=60)
def test_the_median_is_right_to_within_a_quarter(seconds: list[float]) -> None:
    meter = Meter()
    for one in seconds:
        meter.count(200, one)
    found = meter.quantile(0.5)
    assert found is not None
    low, high = statistics.median_low(seconds), statistics.median_high(seconds)
    assert low / 1.26 <= found <= high * 1.26


def test_what_replicas_write_the_controller_reads(tmp_path: Path) -> None:
    ours, theirs = Meters(tmp_path / "m", slots=3), Meters(tmp_path / "m", slots=3)
    whole, part = Meter(busy=2, queued=1, workers=4), Meter(7, skipped=5)
    whole.count(200, 0.01)
    whole.count(404, 0.01)
    whole.count(503, 0.01)
    theirs.write(1, [whole, part])
    assert ours.read(1) == [whole, part]
    assert (whole.requests, whole.refused, whole.failed) == (3, 1, 1)
    assert ours.read(0) == [Meter()]
    ours.clear(1)
    assert theirs.read(1) == [Meter()]
    assert total([whole, whole]).requests == 6


def counted(requests: int, *, number: int = 0) -> Meter:
    meter = Meter(number)
    for _ in range(requests):
        meter.count(200, 0.004)
    return meter


def test_each_second_tells_what_came_in_it_whatever_replicas_come_and_go() -> None:
    history = History()
    history.note(1.0, {"a": [counted(5)]}, replicas=1, wanted=1)
    history.note(2.0, {"a": [counted(8)], "b": [counted(2)]}, replicas=2, wanted=2)
    history.note(3.0, {"b": [counted(2)]}, replicas=1, wanted=1)
    # A replica whose counting began anew.
    history.note(4.0, {"b": [counted(1)]}, replicas=1, wanted=1)
    found = history.since(0)
    assert [s["requests"] for s in found] == [5, 5, 0, 1]
    assert [s["replicas"] for s in found] == [1, 2, 1, 1]
    assert found[2]["p50_ms"] is None
    assert 3 < found[0]["p50_ms"] < 5
    assert [s["at"] for s in history.since(2.5)] == [3.0, 4.0]
    assert history.recent()["requests_per_s"] == round(11 / 4, 3)


def test_requests_are_told_by_deployment_where_there_are_several() -> None:
    history = History()
    meters = [counted(10), counted(9, number=1), counted(1, number=2)]
    history.note(1.0, {"a": meters}, replicas=1, wanted=1)
    (second,) = history.since(0)
    assert second["requests"] == 10
    assert second["deployments"] == {"1": 9, "2": 1}


def test_only_the_last_quarter_of_an_hour_is_remembered() -> None:
    history = History()
    for second in range(KEPT + 10):
        history.note(float(second), {}, replicas=0, wanted=0)
    assert len(history.since(-1)) == KEPT


def test_histories_of_several_replicas_are_one_of_whole_seconds() -> None:
    one, other = History(), History()
    for history, offset, requests in ((one, 0.2, 3), (other, 0.7, 5)):
        meter = Meter()
        for second in range(4):
            history.note(100 + second + offset, {0: [total([meter])]}, replicas=1, wanted=1)
            for _ in range(requests):
                meter.count(200 if second else 404, 0.01)
    counted = [one.counted_since(0.0), other.counted_since(0.0)]
    found = together(counted, since=100, until=103.4)
    assert [(s["at"], s["requests"], s["refused"], s["replicas"]) for s in found] == [
        (101.0, 8, 8, 2),
        (102.0, 8, 0, 2),
    ]
    assert found[0]["p50_ms"] == pytest.approx(10, rel=0.25)
    recent = recent_of([one.last(), other.last()])
    assert recent["requests_per_s"] == pytest.approx(24 / 4)
    assert recent["errors_per_s"] == pytest.approx(8 / 4)
