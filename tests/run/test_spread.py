"""Items of one step on several workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.graph.graph import NodeId
from modelwright.run.events import StepReport
from modelwright.run.workers import local_workers
from modelwright.targets.local import LocalProcesses
from tests.run.parts import library
from tests.run.spread_parts import Owner, Spread
from tests.run.worlds import World, graph, statuses

NODE = NodeId("s")


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalProcesses]:
    with local_workers(most=2) as workers:
        workers.warm(2)
        yield workers


def world_of(folder: Path, pool: LocalProcesses | None = None) -> World:
    world = World(folder, pool)
    world.library = library(Spread, Owner)
    return world


def test_two_items_are_worked_on_at_the_same_time(tmp_path: Path, pool: LocalProcesses) -> None:
    world = world_of(tmp_path, pool)
    result = world.run(graph({"s": ("spread", {"how": "meet", "place": str(tmp_path)})}))
    assert world.values(result, "s.table") == [0, 1, 4, 9, 2]
    (log,) = (tmp_path / "logs").glob("*/s.log")
    met = [line for line in log.read_text().splitlines() if line.startswith("met in")]
    assert len(set(met)) == 2


def test_results_are_the_same_in_a_place_with_one_worker(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    result = world.run(graph({"s": ("spread", {})}))
    assert world.values(result, "s.table") == [0, 1, 4, 9, 1]


def test_every_result_is_heard_of_while_the_step_runs(tmp_path: Path, pool: LocalProcesses) -> None:
    world = world_of(tmp_path, pool)
    world.run(graph({"s": ("spread", {"items": 3})}))
    reports = [e.report for e in world.events if isinstance(e, StepReport)]
    assert sorted((r["item"], r["result"]) for r in reports) == [(0, 0), (1, 1), (2, 4)]


@pytest.mark.parametrize(("how", "code"), [("mistake", "empty-table"), ("bug", "internal-error")])
def test_an_item_that_fails_fails_the_step(
    tmp_path: Path, pool: LocalProcesses, how: str, code: str
) -> None:
    world = world_of(tmp_path, pool)
    result = world.run(graph({"s": ("spread", {"how": how, "items": 9})}))
    failure = result.steps[NODE].failure
    assert failure is not None
    assert failure.code == code
    (log,) = (tmp_path / "logs").glob("*/s.log")
    assert ("a secret of the code" in log.read_text()) == (how == "bug")
    # The workers are there for the next run.
    again = world.run(graph({"s": ("spread", {})}))
    assert statuses(again) == {"s": "done"}


def test_an_item_whose_worker_dies_is_done_by_another(tmp_path: Path, pool: LocalProcesses) -> None:
    world = world_of(tmp_path, pool)
    drawn = graph({"s": ("owner", {"how": "kill once", "place": str(tmp_path), "items": 30})})
    result = world.run(drawn)
    assert world.values(result, "s.table")[:30] == [n * n for n in range(30)]
    assert (tmp_path / "killed").exists()


def test_a_step_that_was_killed_goes_on_from_its_notes(tmp_path: Path) -> None:
    with local_workers(most=1) as alone:
        world = world_of(tmp_path, alone)
        settings = {"place": str(tmp_path), "kept": True, "how": "die in the middle"}
        drawn = graph({"s": ("spread", settings)})
        assert statuses(world.run(drawn)) == {"s": "failed"}
        assert world.counted("items") == 2
        again = world.run(drawn)
    assert world.values(again, "s.table") == [4, 9, 1]
    assert world.counted("items") == 4


def test_notes_are_not_those_of_a_step_with_other_settings(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    for items in (3, 4):
        settings = {"place": str(tmp_path), "kept": True, "items": items}
        world.run(graph({"s": ("spread", settings)}))
    assert world.counted("items") == 7
