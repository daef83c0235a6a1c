"""What is left of a Ray cluster's machines, and who makes room there."""

from __future__ import annotations

from modelwright.targets.contract import Needs, WorkerId
from modelwright.targets.ray_room import Machine, Worker, has_room, in_the_way


def machine(name: str, cpus: float, *, gpus: float = 0.0, memory: int = 8 << 30) -> Machine:
    return {"id": name, "name": name, "cpus": cpus, "gpus": gpus, "memory": memory}


def worker(number: int, node: str, needs: Needs) -> Worker:
    return Worker(WorkerId(f"w-{number}"), number, needs, up=bool(node), node=node)


def test_there_is_room_only_where_one_machine_has_all_that_is_needed() -> None:
    machines = [machine("a", 2), machine("b", 2, gpus=1)]
    busy = [worker(1, "a", Needs(cpus=1)), worker(2, "b", Needs(cpus=1.5))]
    assert has_room(machines, busy, Needs(cpus=1))
    # Two processors are free, but not on one machine.
    assert not has_room(machines, busy, Needs(cpus=1.5))
    assert has_room(machines, busy, Needs(cpus=0.5, gpus=1))
    assert not has_room(machines, busy, Needs(cpus=1, gpus=1))
    assert not has_room(machines, [], Needs(memory=16 << 30))
    assert not has_room([], [], Needs(cpus=0.5))


def test_what_is_being_ended_or_has_not_come_yet_holds_nothing() -> None:
    ended = worker(1, "a", Needs(cpus=2))
    ended.wanted = False
    assert has_room([machine("a", 2)], [ended, worker(2, "", Needs(cpus=2))], Needs(cpus=2))


def test_as_few_idle_workers_as_possible_are_ended_for_another_one() -> None:
    machines = [machine("a", 4), machine("b", 4)]
    small = [worker(n, "a", Needs(cpus=1)) for n in range(4)]
    large = [worker(4, "b", Needs(cpus=2)), worker(5, "b", Needs(cpus=2))]
    workers = [*small, *large]
    # Two on one machine rather than three on the other.
    assert in_the_way(machines, workers, workers, Needs(cpus=3)) == large
    assert in_the_way(machines, workers, [*small, large[0]], Needs(cpus=2.5)) == small[:3]
    assert in_the_way(machines, workers, [large[1]], Needs(cpus=2)) == [large[1]]


def test_nobody_is_ended_in_vain() -> None:
    machines = [machine("a", 2)]
    idle, busy = worker(1, "a", Needs(cpus=1)), worker(2, "a", Needs(cpus=1))
    assert in_the_way(machines, [idle, busy], [idle], Needs(cpus=2)) == []
    assert in_the_way(machines, [idle, busy], [idle, busy], Needs(cpus=64)) == []


def test_a_worker_is_spare_when_it_has_rested_and_no_open_session_needs_what_it_holds() -> None:
    resting = worker(1, "a", Needs())
    resting.idle_since = 10.0
    assert not resting.is_spare((), 10.1)
    assert resting.is_spare((), 11.0)
    assert not resting.is_spare((), 11.0, idle_s=5)
    resting.seen_by = {7}
    assert resting.is_spare((8,), 11.0)
    assert not resting.is_spare((7, 8), 11.0)
    resting.taken_by, resting.seen_by = 8, set()
    assert not resting.is_spare((), 11.0)
