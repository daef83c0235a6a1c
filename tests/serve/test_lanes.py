from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.inference.scorer import ROWS
from modelwright.serve.answers import Refusal
from modelwright.serve.lanes import FormulaLane, Gate
from modelwright.serve.settings import DeploymentSettings


def run(what: Coroutine[Any, Any, None]) -> None:
    asyncio.run(what)


def test_those_who_wait_enter_in_the_order_in_which_they_came() -> None:
    async def world() -> None:
        gate, order = Gate(1, 10_000), []

        async def enter(number: int) -> None:
            async with gate.entered():
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*(enter(n) for n in range(5)))
        assert order == [0, 1, 2, 3, 4]
        assert (gate.load.busy, gate.load.queued) == (0, 0)

    run(world())


def test_a_wait_that_is_too_long_is_refused_with_503() -> None:
    async def world() -> None:
        gate = Gate(1, 10)
        async with gate.entered():
            with pytest.raises(Refusal) as caught:
                async with gate.entered():
                    pytest.fail("entered a full gate")
            assert caught.value.answer.status == 503
            assert (gate.load.busy, gate.load.queued) == (1, 0)
        assert gate.load.busy == 0

    run(world())


def test_with_no_wait_allowed_a_full_gate_refuses_at_once() -> None:
    async def world() -> None:
        gate = Gate(1, 0)
        async with gate.entered():
            with pytest.raises(Refusal):
                async with gate.entered():
                    pytest.fail("entered a full gate")

    run(world())


def test_only_one_who_has_waited_for_a_while_calls_for_more_places() -> None:
    async def world() -> None:
        gate = Gate(1, 500)
        async with gate.entered():
            assert not gate.called.is_set()
            waiting = asyncio.create_task(_entered(gate))
            await asyncio.sleep(0)
            assert not gate.called.is_set()
            await asyncio.wait_for(gate.called.wait(), 60)
        await asyncio.gather(waiting, return_exceptions=True)
        gate.called.clear()
        async with gate.entered():
            waiting = asyncio.create_task(_entered(gate))
            await asyncio.sleep(0)
        await waiting
        assert not gate.called.is_set()

    async def _entered(gate: Gate) -> None:
        async with gate.entered():
            pass

    run(world())


def test_a_wider_gate_lets_those_in_who_wait() -> None:
    async def world() -> None:
        gate, entered = Gate(0, 10_000), asyncio.Event()

        async def enter() -> None:
            async with gate.entered():
                entered.set()

        task = asyncio.create_task(enter())
        await asyncio.sleep(0)
        assert gate.load.queued == 1
        gate.resize(1, 10_000)
        await task
        assert entered.is_set()

    run(world())


def test_one_who_gives_up_waiting_leaves_no_trace() -> None:
    async def world() -> None:
        gate = Gate(1, 10_000)

        async def enter() -> None:
            async with gate.entered():
                pass

        async with gate.entered():
            waiting = asyncio.create_task(enter())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (gate.load.busy, gate.load.queued) == (1, 0)
        await gate.emptied()
        async with gate.entered():
            pass

    run(world())


@settings(max_examples=40, deadline=None)
@given(
    slots=st.integers(1, 3),
    wait_ms=st.sampled_from([0, 2, 1000]),
    lives=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12),
)
def test_never_more_are_within_than_there_are_places_and_all_leave(
    slots: int, wait_ms: int, lives: list[tuple[int, bool]]
) -> None:
    async def world() -> None:
        gate = Gate(slots, wait_ms)
        within = most = 0

        async def enter(turns: int) -> None:
            nonlocal within, most
            async with gate.entered():
                within += 1
                most = max(most, within)
                try:
                    for _ in range(turns):
                        await asyncio.sleep(0.001)
                finally:
                    within -= 1

        tasks = [asyncio.create_task(enter(turns)) for turns, _ in lives]
        await asyncio.sleep(0.001)
        for task, (_, gives_up) in zip(tasks, lives, strict=True):
            if gives_up:
                task.cancel()
                await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        await gate.emptied()
        assert most <= slots
        assert (gate.load.busy, gate.load.queued) == (0, 0)

    run(world())


def test_a_large_request_that_takes_too_long_is_504_and_keeps_its_place_until_it_ends() -> None:
    going_on = threading.Event()

    def slow(body: bytes, shape: object) -> bytes:
        assert going_on.wait(60)
        return body[:4]

    scorer: Any = SimpleNamespace(answer=slow, answer_all=None, shortest=None, carefully=None)
    limits = {"scoring_timeout_ms": 50, "max_queue_wait_ms": 50}

    async def world() -> None:
        lane = FormulaLane(scorer, DeploymentSettings.read(limits))
        body = b"rows" * 50_000
        with pytest.raises(Refusal) as late:
            await lane.answer(body, ROWS)
        assert late.value.answer.status == 504
        assert (lane.load.busy, lane.load.queued) == (1, 0)
        # Behind it there is no place, which is told within the wait, and not at the time for scoring.
        with pytest.raises(Refusal) as refused:
            await lane.answer(body, ROWS)
        assert refused.value.answer.status == 503
        going_on.set()
        lane.change(DeploymentSettings())
        assert await lane.answer(body, ROWS) == b"rows"
        assert lane.load.busy == 0
        await lane.close()

    run(world())
