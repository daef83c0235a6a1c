from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.serve.scaling import Load, Policy, Seen, decide, needed, utilization
from modelwright.serve.settings import DeploymentSettings

POLICY = Policy(minimum=1, maximum=10, target=0.7, concurrency=1)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    minimum = draw(st.integers(0, 5))
    return Policy(
        minimum,
        draw(st.integers(max(1, minimum), 12)),
        draw(st.floats(0.01, 1.0)),
        draw(st.integers(1, 8)),
    )


loads = st.builds(Load, st.floats(0, 1000), st.floats(0, 1000))
histories = st.lists(st.tuples(st.floats(-5, 90), loads), min_size=1, max_size=30)


def played(policy: Policy, history: list[tuple[float, Load]], start: int = 1) -> list[Seen]:
    now, seen, found = 0.0, Seen(start), []
    for pause, load in history:
        now += pause
        seen = decide(seen, load, policy, now)
        found.append(seen)
    return found


@given(policies(), histories, st.integers(0, 50))
def test_replicas_stay_within_the_bounds_whatever_comes(
    policy: Policy, history: list[tuple[float, Load]], start: int
) -> None:
    for seen in played(policy, history, start):
        assert policy.minimum <= seen.replicas <= policy.maximum


@given(policies(), histories)
def test_there_are_never_fewer_than_are_needed_now(
    policy: Policy, history: list[tuple[float, Load]]
) -> None:
    for seen, (_, load) in zip(played(policy, history), history, strict=True):
        assert seen.replicas >= needed(load, policy)


@given(policies(), loads)
def test_what_is_needed_brings_utilization_to_the_target(policy: Policy, load: Load) -> None:
    need = needed(load, policy)
    if policy.minimum < need < policy.maximum:
        assert utilization(load, need, policy) <= policy.target + 1e-6
        assert utilization(load, need - 1, policy) > policy.target - 1e-6


@given(policies(), loads, loads)
def test_more_load_never_needs_fewer(policy: Policy, one: Load, other: Load) -> None:
    both = Load(one.busy + other.busy, one.queued + other.queued)
    assert needed(both, policy) >= needed(one, policy)


@given(policies(), st.lists(st.tuples(st.floats(0, 90), loads), min_size=2, max_size=30))
def test_none_is_taken_away_that_was_needed_within_the_calm_time(
    policy: Policy, history: list[tuple[float, Load]]
) -> None:
    now = 0.0
    times = []
    for seen, (pause, load) in zip(played(policy, history), history, strict=True):
        now += pause
        times.append((now, needed(load, policy)))
        recent = [n for at, n in times if at > now - policy.calm_s]
        assert seen.replicas >= max(recent)


@given(policies(), histories)
def test_what_is_remembered_stays_small(policy: Policy, history: list[tuple[float, Load]]) -> None:
    for seen in played(policy, history):
        assert len(seen.needs) <= policy.maximum + 1


def test_up_at_once_and_down_after_a_calm_minute() -> None:
    found = played(POLICY, [(1, Load(0.0, 5.0)), (1, Load()), (58, Load()), (2, Load())])
    assert [s.replicas for s in found] == [8, 8, 8, 1]


def test_down_goes_to_what_the_last_minute_needed() -> None:
    history = [(1.0, Load(5.0)), (30.0, Load(2.0)), (31.0, Load(0.1))]
    assert [s.replicas for s in played(POLICY, history)] == [8, 8, 3]


def test_a_rising_load_is_followed_step_by_step() -> None:
    found = played(POLICY, [(1, Load(n)) for n in (0.5, 1.0, 2.0, 4.0)])
    assert [s.replicas for s in found] == [1, 2, 3, 6]


def test_from_zero_a_waiting_request_wakes_one() -> None:
    policy = Policy(minimum=0, maximum=3)
    assert decide(Seen(0), Load(0, 1), policy, 5.0).replicas == 2
    assert decide(Seen(0), Load(), policy, 5.0).replicas == 0


def test_after_a_calm_minute_without_requests_none_is_left() -> None:
    policy = Policy(minimum=0, maximum=3)
    found = played(policy, [(1, Load(0.5)), (30, Load()), (31, Load())])
    assert [s.replicas for s in found] == [1, 1, 0]


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    seen = decide(Seen(1), Load(5.0), POLICY, 1000.0)
    later = decide(seen, Load(), POLICY, 10.0)
    assert later.replicas == 8
    assert decide(later, Load(), POLICY, 80.0).replicas == 1


def test_a_new_controller_keeps_the_replicas_it_finds_for_a_calm_minute() -> None:
    first = decide(Seen(6), Load(), POLICY, 0.0)
    assert first.replicas == 6
    assert decide(first, Load(), POLICY, 61.0).replicas == 1


def test_rounding_asks_for_no_further_replica() -> None:
    assert needed(Load(0.7 * 3), POLICY) == 3


def test_settings_make_the_policy() -> None:
    settings = DeploymentSettings.read({"min_replicas": 2, "target_utilization": 50})
    assert Policy.of(settings) == Policy(2, 10, 0.5, 1)
    fixed = settings.change({"autoscale": False})
    assert Policy.of(fixed) == Policy(2, 2, 0.5, 1)


def simulated(shape: Callable[[int], float], policy: Policy, seconds: int) -> tuple[float, float]:
    """Share of seconds in which the replicas were too few, and replicas used per one needed."""
    seen, short, used, wanted = Seen(policy.minimum), 0, 0, 0.0
    for second in range(seconds):
        requests = shape(second)
        busy = min(requests, seen.replicas * policy.concurrency)
        short += requests > seen.replicas * policy.concurrency
        used += seen.replicas
        wanted += max(policy.minimum, math.ceil(requests / policy.concurrency))
        seen = decide(seen, Load(busy, requests - busy), policy, float(second))
    return short / seconds, used / wanted


@pytest.mark.parametrize(
    ("shape", "most_short", "most_used"),
    [
        pytest.param(lambda s: 0.5 if s < 60 else 6.0, 0.005, 1.7, id="step"),
        pytest.param(lambda s: 6.0 if s % 300 == 100 else 0.5, 0.005, 3.0, id="spike"),
        pytest.param(lambda s: 3.5 + 3.0 * math.sin(s / 60), 0.03, 2.0, id="sine"),
        pytest.param(lambda s: 100.0, 1.0, 1.0, id="flood"),
    ],
)
def test_load_shapes_are_followed(
    shape: Callable[[int], float], most_short: float, most_used: float
) -> None:
    short, used = simulated(shape, POLICY, 1200)
    assert short <= most_short
    assert used <= most_used
