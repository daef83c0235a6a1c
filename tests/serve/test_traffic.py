"""Shares of requests: exact, and changed under load without a request lost."""

from __future__ import annotations

import os
import signal
from collections import Counter
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.inference.package import NotAPackage
from modelwright.serve.control import tell
from modelwright.serve.endpoint import Endpoints
from modelwright.serve.errors import InvalidSetting
from modelwright.serve.keys import Keys
from modelwright.serve.status import State
from modelwright.serve.target import Offer
from modelwright.serve.traffic import turns
from tests.inference.cars import car_request
from tests.serve.callers import calling, widths
from tests.serve.replicas import AUTHORIZED, PRIMARY, SECONDARY, package
from tests.waiting import until

KEYS = Keys(PRIMARY, SECONDARY)


@st.composite
def shares(draw: st.DrawFn) -> dict[int, int]:
    """Percents of up to five deployments that add up to 100."""
    cuts = sorted(draw(st.lists(st.integers(0, 100), max_size=4)))
    ends = [0, *cuts, 100]
    return {n + 1: b - a for n, (a, b) in enumerate(pairwise(ends))}


@given(shares())
@settings(max_examples=60)
def test_every_deployment_gets_just_its_share_evenly_spread(wanted: dict[int, int]) -> None:
    order = turns(wanted)
    counts = Counter(order)
    for number, share in wanted.items():
        assert counts[number] * 100 == share * len(order)
        got = 0
        for index, turn in enumerate(order, start=1):
            got += turn == number
            # Never a whole request too few or too many at any moment for two, nor two for more.
            assert abs(got - share * index / 100) < max(1, len(wanted) - 1)


def test_a_tenth_goes_to_the_canary_every_tenth_time() -> None:
    order = turns({1: 90, 2: 10})
    assert len(order) == 10
    assert order.count(2) == 1


def test_shares_promotion_and_rollback_under_load_lose_no_request(
    endpoints: Endpoints, cars: Path, labels: Path
) -> None:
    one, two = {"min_replicas": 2}, {"min_replicas": 2, "scoring_timeout_ms": 900}
    status = endpoints.apply("cars", {1: Offer(cars, one)}, keys=KEYS)
    with calling(status.scoring_url, 3) as found:
        for share in (10, 50, 90):
            offers = {1: Offer(cars, one, 100 - share), 2: Offer(labels, two, share)}
            endpoints.apply("cars", offers, keys=KEYS)
        endpoints.apply("cars", {2: Offer(labels, two)}, keys=KEYS)
        endpoints.apply("cars", {1: Offer(cars, one)}, keys=KEYS)
        standby = {1: Offer(cars, one), 2: Offer(labels, two, 0)}
        last = endpoints.apply("cars", standby, keys=KEYS)
    assert len(found) > 50
    assert set(found) == {200}
    assert [(d["number"], d["share"]) for d in last.deployments] == [(1, 100), (2, 0)]
    assert len(list((endpoints.root / "cars" / "packages").iterdir())) == 2
    assert set(widths(last.scoring_url, 5)) == {25}


def test_a_canary_that_fails_leaves_what_serves_as_it_is(
    endpoints: Endpoints, cars: Path, tmp_path: Path
) -> None:
    status = endpoints.apply("cars", {1: Offer(cars)}, keys=KEYS)
    broken = package(tmp_path, "broken")
    (broken / "serving.json").write_text("{}")
    with calling(status.scoring_url, 1) as found:
        until(lambda: bool(found))
        with pytest.raises(NotAPackage):
            endpoints.apply("cars", {1: Offer(cars, {}, 50), 2: Offer(broken, {}, 50)}, keys=KEYS)
        wrong = Offer(cars, {"min_replicas": -1}, 50)
        with pytest.raises(InvalidSetting):
            endpoints.apply("cars", {1: Offer(cars, {}, 50), 2: wrong}, keys=KEYS)
    assert set(found) == {200}
    left = endpoints.status("cars")
    assert left.state is State.HEALTHY
    assert [d["number"] for d in left.deployments] == [1]


SCRIPT = """
def azureml_main(a=None, b=None):
    return a[["make", "Scored Labels"]]
"""


def test_a_script_and_a_formula_share_the_requests(
    endpoints: Endpoints, cars: Path, tmp_path: Path
) -> None:
    scripted = package(tmp_path, "scripted", script=SCRIPT)
    offers = {1: Offer(cars, {}, 50), 2: Offer(scripted, {}, 50)}
    status = endpoints.apply("cars", offers, keys=KEYS)
    assert Counter(widths(status.scoring_url, 10)) == {25: 5, 2: 5}
    # The script's processes end with it, and formulas scale by themselves again.
    status = endpoints.apply("cars", {1: Offer(cars, {"min_replicas": 2})}, keys=KEYS)
    assert set(widths(status.scoring_url, 4)) == {25}


def test_a_killed_controller_leaves_shares_scripts_and_shadows_as_they_were(
    endpoints: Endpoints, cars: Path, tmp_path: Path
) -> None:
    scripted = package(tmp_path, "scripted", script=SCRIPT)
    offers = {1: Offer(cars, {}, 50), 2: Offer(scripted, {}, 50), 3: Offer(cars, {}, 0, 100)}
    before = endpoints.apply("cars", offers, keys=KEYS)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    assert Counter(widths(before.scoring_url, 10)) == {25: 5, 2: 5}
    until(lambda: endpoints.status("cars").pid not in (None, before.pid))
    until(lambda: not endpoints.status("cars").message)
    after = endpoints.status("cars")
    assert [(d["number"], d["share"], d["shadow"]) for d in after.deployments] == [
        (1, 50, 0),
        (2, 50, 0),
        (3, 0, 100),
    ]
    assert after.replicas == before.replicas

    def shadow_counts() -> bool:
        widths(after.scoring_url, 2)
        (shadow,) = [d for d in endpoints.status("cars").deployments if d["number"] == 3]
        return bool(shadow["compared"] and shadow["compared"]["copies"])

    until(shadow_counts)
    # What makes scoring processes is new too, and makes them when one is lost.
    (front,) = after.replicas
    workers = tell(endpoints.root / "cars" / "replica-0.sock", {"do": "status"})["workers"]
    assert workers
    for worker in workers:
        os.kill(worker, signal.SIGKILL)

    def answers() -> bool:
        calls = [
            httpx.post(after.scoring_url, content=car_request(), headers=AUTHORIZED) for _ in "12"
        ]
        return {call.status_code for call in calls} == {200}

    until(answers)
    assert endpoints.status("cars").replicas == (front,)
