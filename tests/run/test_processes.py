"""Runs on real worker processes, most of them on one pool that the whole file shares."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import psutil
import pytest

from modelwright.graph.graph import NodeId
from modelwright.run.capture import LARGEST_LOG
from modelwright.run.events import Event, StepLog, StepRunning
from modelwright.run.workers import local_workers
from modelwright.targets.local import LocalProcesses
from tests.run.parts import library
from tests.run.worlds import World, codes, graph, statuses


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalProcesses]:
    with local_workers(most=2) as workers:
        yield workers


def lines(world: World) -> list[str]:
    return [line for e in world.events if isinstance(e, StepLog) for line in e.lines]


def log(world: World) -> str:
    (found,) = (world.folder / "logs").glob("*/s.log")
    return found.read_text()


def test_a_graph_runs_in_other_processes(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    drawn = graph(
        {"a": ("numbers", {}), "b": ("add", {}), "c": ("add", {"amount": 5}), "j": ("join", {})},
        "a.table > b.dataset",
        "a.table > c.dataset",
        "b.table > j.first",
        "c.table > j.second",
    )
    result = world.run(drawn)
    assert statuses(result) == dict.fromkeys("abcj", "done")
    assert world.values(result, "j.table") == [1, 2, 3, 5, 6, 7]
    assert {e.worker for e in world.events if isinstance(e, StepRunning)} <= {
        f"local-{number}" for number in range(1, 50)
    }
    assert set(statuses(world.run(drawn)).values()) == {"reused"}


def test_a_component_whose_module_has_no_place_on_the_path_is_found_by_its_file(
    tmp_path: Path, pool: LocalProcesses
) -> None:
    (tmp_path / "stray.py").write_text(
        "from modelwright.components.contract import Component\n"
        "from modelwright.data.table import Table\n"
        "class Stray(Component, category='Test'):\n"
        "    size: int = 2\n"
        "    def run(self) -> Table:\n"
        "        import polars as pl\n"
        "        return Table(pl.DataFrame({'x': range(self.size)}))\n"
    )
    spec = spec_from_file_location("no_package.stray", tmp_path / "stray.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["no_package.stray"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    world = World(tmp_path, pool)
    world.library = library(module.Stray)
    assert world.values(world.run(graph({"s": ("stray", {"size": 3})})), "s.table") == [0, 1, 2]
    del sys.modules["no_package.stray"]


def test_branches_run_side_by_side(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    place = str(tmp_path)
    drawn = graph(
        {
            "a": ("numbers", {}),
            "l": ("meet", {"place": place, "name": "left", "other": "right"}),
            "r": ("meet", {"place": place, "name": "right", "other": "left"}),
        },
        "a.table > l.dataset",
        "a.table > r.dataset",
    )
    # Each waits for the other: one after the other would not end well.
    result = world.run(drawn)
    assert statuses(result) == dict.fromkeys("alr", "done"), result.to_json()
    kinds = [(e.kind, getattr(e, "node", "")) for e in world.events]
    first_end = min(kinds.index(("step-done", n)) for n in "lr")
    assert max(kinds.index(("step-running", n)) for n in "lr") < first_end


def test_a_chain_stays_with_the_worker_that_has_its_data(
    tmp_path: Path, pool: LocalProcesses
) -> None:
    world = World(tmp_path, pool)
    pool.warm(2)
    names = [f"n{number}" for number in range(5)]
    world.run(
        graph(
            {"a": ("numbers", {}), **{n: ("add", {}) for n in names}},
            *(
                f"{above}.table > {n}.dataset"
                for above, n in zip(["a", *names[:-1]], names, strict=True)
            ),
        )
    )
    workers = [e.worker for e in world.events if isinstance(e, StepRunning)]
    assert len(workers) == 6
    assert len(set(workers)) == 1


@pytest.mark.parametrize(
    ("how", "words", "trace"),
    [
        ("kill", "killed by SIGKILL", "about to fail"),
        ("segfault", "killed by SIGSEGV", "Segmentation fault"),
        ("hard exit", "ended with status 5", "about to fail"),
    ],
)
def test_a_worker_that_dies_fails_its_step_only(
    tmp_path: Path, pool: LocalProcesses, how: str, words: str, trace: str
) -> None:
    world = World(tmp_path, pool)
    drawn = graph(
        {
            "a": ("numbers", {"rows": 4}),
            "f": ("fail", {"how": how}),
            "b": ("add", {}),
            "x": ("numbers", {}),
            "y": ("add", {}),
        },
        "a.table > f.dataset",
        "f.table > b.dataset",
        "x.table > y.dataset",
    )
    result = world.run(drawn)
    assert statuses(result) == {
        "a": "done",
        "f": "failed",
        "b": "skipped",
        "x": "done",
        "y": "done",
    }
    (failure,) = result.failures
    assert failure.code == "worker-died"
    assert words in failure.message
    assert trace in failure.error["fields"]["log"]
    assert statuses(world.run(drawn, until="y")) == {"x": "reused", "y": "reused"}


def test_the_next_run_finds_a_new_worker_in_the_dead_ones_place(
    tmp_path: Path, pool: LocalProcesses
) -> None:
    world = World(tmp_path, pool)
    drawn = graph({"f": ("fail", {"how": "kill", "once": str(tmp_path)})})
    assert statuses(world.run(drawn)) == {"f": "failed"}
    assert statuses(world.run(drawn)) == {"f": "done"}


def test_sys_exit_in_a_step_does_not_end_its_worker(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    pool.warm(2)
    before = pool.pids
    (failure,) = world.run(graph({"f": ("fail", {"how": "exit"})})).failures
    assert failure.code == "step-exited"
    assert pool.pids == before


@pytest.mark.parametrize("how", ["print", "stderr", "log", "native", "child"])
def test_whatever_a_step_writes_is_in_its_log_line_by_line(
    tmp_path: Path, pool: LocalProcesses, how: str
) -> None:
    world = World(tmp_path, pool)
    world.run(graph({"s": ("say", {"how": how, "lines": 2})}))
    assert lines(world) == [f"line 0 by {how}", f"line 1 by {how}"]
    assert log(world).splitlines() == lines(world)


def test_a_line_without_an_end_is_told_at_the_end(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    world.run(graph({"s": ("say", {"how": "no newline"})}))
    assert lines(world) == ["line 0 by no newline"]


def test_a_progress_bar_counts_as_its_last_state(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    world.run(graph({"s": ("say", {"how": "bar", "lines": 50})}))
    assert lines(world) == ["49 of many"]


def test_a_flood_of_lines_is_told_in_part_and_kept_whole(
    tmp_path: Path, pool: LocalProcesses
) -> None:
    world = World(tmp_path, pool)
    world.run(graph({"s": ("say", {"how": "print", "lines": 100_000})}))
    told = [e for e in world.events if isinstance(e, StepLog)]
    assert sum(len(e.lines) + e.omitted for e in told) == 100_000
    assert sum(e.omitted for e in told) > 50_000
    assert lines(world)[-1] == "line 99999 by print"
    assert log(world).count("\n") == 100_000


def test_a_log_without_an_end_is_cut_off(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    cancel = threading.Event()

    def stop_once_cut(event: Event) -> None:
        if isinstance(event, StepLog) and any("cut off here" in line for line in event.lines):
            cancel.set()

    flood = graph({"s": ("say", {"how": "print", "lines": 1 << 40, "width": 50_000})})
    result = world.run(flood, on_event=stop_once_cut, cancel=cancel)
    assert result.status == "cancelled"
    assert len(log(world)) < 4 * LARGEST_LOG
    assert "The log is cut off here, at 64 MiB." in lines(world)


@pytest.mark.parametrize("quietly", [True, False])
def test_a_cancelled_run_ends_within_a_second(
    tmp_path: Path, pool: LocalProcesses, quietly: bool
) -> None:
    world = World(tmp_path, pool)
    pool.warm(2)
    cancel = threading.Event()
    asked = 0.0

    def cancel_it(event: Event) -> None:
        nonlocal asked
        if isinstance(event, StepLog) and event.lines == ("hanging",):
            asked = time.monotonic()
            cancel.set()

    drawn = graph(
        {
            "a": ("numbers", {"rows": 6}),
            "h": ("hang", {"place": str(tmp_path), "quietly": quietly}),
            "b": ("add", {}),
        },
        "a.table > h.dataset",
        "h.table > b.dataset",
    )
    result = world.run(drawn, on_event=cancel_it, cancel=cancel)
    assert time.monotonic() - asked < 1.0
    assert result.status == "cancelled"
    assert statuses(result) == {"a": "done", "h": "cancelled", "b": "cancelled"}
    pid = int((tmp_path / "hanging").read_text())
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not psutil.pid_exists(pid)


def test_a_worker_killed_from_outside_is_told_of(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)

    def kill_it(event: Event) -> None:
        if isinstance(event, StepLog) and event.lines == ("hanging",):
            os.kill(int((tmp_path / "hanging").read_text()), signal.SIGTERM)

    result = world.run(graph({"h": ("hang", {"place": str(tmp_path)})}), on_event=kill_it)
    (failure,) = result.failures
    assert failure.code == "worker-died"
    assert failure.error["fields"]["signal"] == "SIGTERM"


def test_a_corrupt_result_is_made_again_and_says_why(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    drawn = graph(
        {"a": ("numbers", {"rows": 300_000}), "b": ("add", {"counted": str(tmp_path)})},
        "a.table > b.dataset",
    )
    first = world.run(drawn)
    digest = first.steps[NodeId("a")].outputs["table"].digest
    folder = world.store.path(digest)
    assert folder is not None
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1000])
    result = world.run(drawn, regenerate=["b"])
    assert statuses(result) == {"a": "done", "b": "done"}
    assert codes(result, "a") == ["result-corrupt"]
    assert result.steps[NodeId("a")].reason == (
        'The stored result on port "table" cannot be read, and "Add" needs it.'
    )
    assert world.kinds("a") == ["step-reused", "step-queued", "step-running", "step-done"]
    assert result.steps[NodeId("b")].outputs == first.steps[NodeId("b")].outputs
    assert world.store.get(digest, verify=True).summary() == {"rows": 300_000, "columns": 1}


def test_a_step_begins_before_what_feeds_it_is_stored(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    sign = str(tmp_path / "sign")
    # The first table can be saved only once the second step has run.
    drawn = graph(
        {"a": ("give-patient", {"sign": sign}), "b": ("give-sign", {"sign": sign})},
        "a.table > b.dataset",
    )
    result = world.run(drawn)
    assert statuses(result) == {"a": "done", "b": "done"}
    kinds = [(e.kind, getattr(e, "node", "")) for e in world.events]
    assert kinds.index(("step-running", "b")) < kinds.index(("step-done", "a"))
    assert kinds.index(("step-done", "a")) < kinds.index(("step-done", "b"))
    assert set(statuses(world.run(drawn)).values()) == {"reused"}


def test_a_result_that_dies_with_its_worker_before_it_is_stored_is_made_again(
    tmp_path: Path, pool: LocalProcesses
) -> None:
    world = World(tmp_path, pool)
    sign = tmp_path / "sign"

    def let_it_be_saved(event: Event) -> None:
        if event.kind == "step-failed":
            sign.touch()

    drawn = graph(
        {
            "a": ("give-patient", {"sign": str(sign), "counted": str(tmp_path)}),
            "b": ("give-sign", {"sign": str(sign), "deadly": True}),
        },
        "a.table > b.dataset",
    )
    result = world.run(drawn, on_event=let_it_be_saved)
    assert statuses(result) == {"a": "done", "b": "failed"}
    assert codes(result, "a") == ["result-lost"]
    assert world.counted("patient") == 2
    assert world.values(result, "a.table") == [0, 1, 2]


def test_a_full_disk_fails_the_step_and_nothing_is_recorded(
    tmp_path: Path, pool: LocalProcesses
) -> None:
    world = World(tmp_path, pool)
    drawn = graph({"g": ("give-too-large", {}), "b": ("add", {})}, "g.table > b.dataset")
    result = world.run(drawn)
    assert statuses(result) == {"g": "failed", "b": "skipped"}
    (failure,) = result.failures
    assert failure.code == "store-full"
    assert "no room left" in failure.message
    assert world.store.usage().to_json() == {
        "kinds": {},
        "steps": 0,
        "quarantine": 0,
        "temporary": 0,
    }
    assert codes(world.plan(drawn), "g") == ["never-run"]


def test_secrets_are_asked_of_the_runner(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    world.secrets = {"password": "open sesame"}
    result = world.run(graph({"s": ("read-secret", {})}))
    assert world.values(result, "s.table") == ["open sesame"]


def test_memory_and_time_of_a_step_are_measured(tmp_path: Path, pool: LocalProcesses) -> None:
    world = World(tmp_path, pool)
    step = world.run(graph({"g": ("grow", {"megabytes": 80})})).steps[NodeId("g")]
    assert step.peak_memory is not None
    assert 70 << 20 < step.peak_memory < 200 << 20
    assert step.seconds is not None
    assert step.seconds > 0
    assert step.started_at is not None
    assert step.finished_at is not None
    assert step.started_at <= step.finished_at


def test_two_runs_share_the_workers_and_do_not_mix_their_data(
    tmp_path: Path, pool: LocalProcesses
) -> None:
    found: dict[int, list[int]] = {}

    def run(start: int) -> None:
        world = World(tmp_path / str(start), pool)
        drawn = graph(
            {
                "a": ("numbers", {"start": start}),
                **{f"b{n}": ("add", {"amount": start}) for n in range(4)},
            },
            "a.table > b0.dataset",
            *(f"b{n}.table > b{n + 1}.dataset" for n in range(3)),
        )
        found[start] = world.values(world.run(drawn), "b3.table")

    threads = [threading.Thread(target=run, args=(start,)) for start in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {s: [5 * s, 5 * s + 1, 5 * s + 2] for s in (100, 200, 300)}


def test_a_pool_whose_workers_cannot_start_fails_the_steps(
    tmp_path: Path,
) -> None:
    with LocalProcesses("modelwright.no_such_module", most=1) as broken:
        world = World(tmp_path, broken)
        drawn = graph({"a": ("numbers", {}), "b": ("add", {})}, "a.table > b.dataset")
        result = world.run(drawn)
    assert result.status == "failed"
    assert result.failures[0].code == "no-workers"
    assert "no_such_module" in result.failures[0].error["fields"]["output"]


def test_a_pool_that_is_closed_under_a_run_fails_its_steps(tmp_path: Path) -> None:
    pool = local_workers(most=1)
    world = World(tmp_path, pool)

    def close(event: Event) -> None:
        if isinstance(event, StepLog) and event.lines == ("hanging",):
            threading.Thread(target=pool.close).start()

    result = world.run(graph({"h": ("hang", {"place": str(tmp_path)})}), on_event=close)
    pool.close()
    assert [f.code for f in result.failures] == ["worker-died"]
