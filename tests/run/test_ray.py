"""Steps on a real Ray cluster of two nodes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from modelwright.data.store import Store
from modelwright.graph.graph import Graph, NodeId
from modelwright.run.cluster_errors import (
    ClusterUnreachable,
    ClusterVersionsDiffer,
    NoSuchResources,
    StoreOutOfReach,
)
from modelwright.run.ray_workers import RayWorkers, ray_workers
from modelwright.run.result import RunResult
from tests.ray_cluster import RAY_ON_LOOPBACK, RayCluster, is_there, on_loopback
from tests.run.worlds import World, graph

pytestmark = pytest.mark.together

BRANCHES = 12


@pytest.fixture(scope="module")
def workers(ray_cluster: RayCluster) -> Iterator[RayWorkers]:
    with ray_workers(address=ray_cluster.address, idle_s=3) as workers:
        yield workers


def branches(rows: int = 20_000) -> Graph:
    """A source, branches of two steps each, and a step that joins the first two."""
    nodes: dict[str, tuple[str, Mapping[str, Any]]] = {"source": ("numbers", {"rows": rows})}
    wires = []
    for number in range(BRANCHES):
        nodes[f"add-{number}"] = ("add", {"amount": number})
        nodes[f"clip-{number}"] = ("clip", {"most": 5000 + number})
        wires += [f"source.table > add-{number}.dataset"]
        wires += [f"add-{number}.table > clip-{number}.dataset"]
    nodes["join"] = ("join", {})
    wires += ["clip-0.table > join.first", "clip-1.table > join.second"]
    return graph(nodes, *wires)


def digests(result: RunResult) -> dict[str, dict[str, str]]:
    return {n: {p: o.digest for p, o in s.outputs.items()} for n, s in result.steps.items()}


def of_kind(world: World, kind: str) -> list[Any]:
    return [e for e in world.events if e.kind == kind]


def test_twelve_branches_give_on_a_cluster_what_they_give_here_to_the_bit(
    tmp_path: Path, workers: RayWorkers
) -> None:
    here = World(tmp_path / "here").run(branches())
    world = World(tmp_path / "there", workers)
    there = world.run(branches())
    assert there.status == "completed", there.failures
    assert digests(there) == digests(here)
    used = {e.worker for e in of_kind(world, "step-running")}
    assert 1 <= len(used) <= 2
    again = world.run(branches())
    assert again.counts == {"reused": len(again.steps)}


def test_logs_progress_and_secrets_go_to_and_fro(tmp_path: Path, workers: RayWorkers) -> None:
    world = World(tmp_path, workers)
    world.secrets = {"password": "hunter2"}
    nodes: dict[str, tuple[str, Mapping[str, Any]]] = {
        "say": ("say", {"how": "print", "lines": 500}),
        "bar": ("report", {}),
        "ask": ("read-secret", {}),
        "fail": ("fail", {"how": "bug"}),
    }
    result = world.run(graph(nodes))
    log = result.steps[NodeId("say")].log
    assert log is not None
    assert len(log.read_text().splitlines()) == 500
    assert (
        sum(len(e.lines) + e.omitted for e in of_kind(world, "step-log") if e.node == "say") == 500
    )
    assert [e.fraction for e in of_kind(world, "step-progress")][-1] == 1.0
    assert world.values(result, "ask.table") == ["hunter2"]
    (failure,) = result.failures
    assert failure.code == "internal-error"
    failed = result.steps[NodeId("fail")].log
    assert failed is not None
    assert str(failure.reference) in failed.read_text()


def test_a_table_larger_than_its_share_of_the_object_store_is_handed_on_through_the_store(
    tmp_path: Path, workers: RayWorkers
) -> None:
    # 240 MB of rows; a node keeps 100 MB of values.
    wide = {"source": ("numbers", {"rows": 30_000_000}), "next": ("add", {}), "take": ("clip", {})}
    drawn = graph(wide, "source.table > next.dataset", "next.table > take.dataset")
    result = World(tmp_path, workers).run(drawn, until="next")
    assert result.status == "completed", result.failures
    output = result.steps[NodeId("next")].outputs["table"]
    assert output.rows == 30_000_000


def test_a_cancelled_run_ends_the_step_that_hangs(tmp_path: Path, workers: RayWorkers) -> None:
    world = World(tmp_path, workers)
    cancel = threading.Event()

    def watch() -> None:
        while not (tmp_path / "hanging").exists():
            time.sleep(0.02)
        cancel.set()

    threading.Thread(target=watch, daemon=True).start()
    result = world.run(graph({"h": ("hang", {"place": str(tmp_path)})}), cancel=cancel)
    assert result.status == "cancelled"
    _wait_until_ended(int((tmp_path / "hanging").read_text()))


def test_a_worker_with_nothing_to_do_ends_while_the_run_goes_on(
    tmp_path: Path, workers: RayWorkers
) -> None:
    nodes = {n: ("await", {"file": str(tmp_path / n)}) for n in ("short", "long")}
    world = World(tmp_path, workers)

    def watch() -> None:
        wait_for(lambda: {"short", "long"} <= {e.node for e in of_kind(world, "step-running")})
        (tmp_path / "short").touch()
        wait_for(lambda: "step-done" in world.kinds("short"))
        wait_for(lambda: len(workers.pids) == 1)
        (tmp_path / "long").touch()

    threading.Thread(target=watch, daemon=True).start()
    result = world.run(graph(nodes))
    assert result.status == "completed", result.failures
    assert len({e.worker for e in of_kind(world, "step-running")}) == 2
    assert world.values(result, "short.table") == [1, 2, 3]


def test_a_crash_fails_its_step_unless_it_may_be_tried_again(
    tmp_path: Path, workers: RayWorkers
) -> None:
    drawn = graph({"f": ("fail", {"how": "kill", "once": str(tmp_path)})})
    result = World(tmp_path / "a", workers).run(drawn)
    assert [f.code for f in result.failures] == ["worker-died"]
    (tmp_path / "failed").unlink(missing_ok=True)
    workers.retries = 1
    try:
        world = World(tmp_path / "b", workers)
        result = world.run(drawn)
    finally:
        workers.retries = 0
    assert result.status == "completed", result.failures
    why = [r.code for e in of_kind(world, "step-queued") for r in e.reasons]
    assert "worker-lost" in why


def test_a_step_that_wants_too_much_memory_fails_at_once_whatever_may_be_tried_again(
    tmp_path: Path, workers: RayWorkers
) -> None:
    workers.retries = 2
    try:
        world = World(tmp_path, workers)
        result = world.run(graph({"f": ("fail", {"how": "memory"}), "n": ("numbers", {})}))
    finally:
        workers.retries = 0
    assert [f.code for f in result.failures] == ["out-of-memory"]
    assert result.steps[NodeId("n")].status == "done"
    assert world.kinds("f").count("step-running") == 1


def test_a_step_that_never_ends_is_given_up_after_its_time(
    tmp_path: Path, workers: RayWorkers
) -> None:
    nodes = {"h": ("hang", {"place": str(tmp_path)}), "n": ("numbers", {})}
    workers.longest_step_s = 2.0
    try:
        result = World(tmp_path, workers).run(graph(nodes))
    finally:
        workers.longest_step_s = None
    (failure,) = result.failures
    assert failure.code == "step-took-too-long"
    assert "--longest" in failure.message
    assert result.steps[NodeId("n")].status == "done"
    _wait_until_ended(int((tmp_path / "hanging").read_text()))


def test_a_lost_node_costs_only_the_steps_it_held(
    tmp_path: Path,
    ray_cluster: RayCluster,
    workers: RayWorkers,
) -> None:
    drawn = awaiting(tmp_path / "lost")
    world = World(tmp_path / "there", workers)
    # Not left while a node is started, which may take longer than a worker may be idle.
    with workers.staying():
        former = {n["name"] for n in workers.nodes}
        node = ray_cluster.add_node(cpus=2)
        wait_for(lambda: len(workers.nodes) == len(former) + 1)

        def kill() -> None:
            wait_for(lambda: workers.busy_nodes() - former)
            ray_cluster.kill_node(node)
            (tmp_path / "lost").touch()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        result = world.run(drawn)
        killer.join(60)
        wait_for(lambda: {n["name"] for n in workers.nodes} == former)
    assert result.status == "completed", result.failures
    assert digests(result) == digests(World(tmp_path / "here").run(drawn))
    begun = [e.node for e in of_kind(world, "step-running")]
    again = {n for n in begun if begun.count(n) > 1}
    reasons = {r.code for e in of_kind(world, "step-queued") for r in e.reasons}
    assert again, "the node that was lost held nothing"
    assert len(again) <= 4
    assert reasons & {"worker-lost", "result-lost"}


def awaiting(file: Path) -> Graph:
    """Steps side by side that wait for a file, and another after each."""
    nodes: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for n in range(6):
        nodes |= {f"s{n}": ("await", {"file": str(file)}), f"a{n}": ("add", {"amount": n})}
    return graph(nodes, *(f"s{n}.table > a{n}.dataset" for n in range(6)))


def test_finished_steps_outlive_the_program_that_ran_them(
    tmp_path: Path,
    ray_cluster: RayCluster,
    workers: RayWorkers,
) -> None:
    code = f"""
import sys
from pathlib import Path
from modelwright.run.ray_workers import ray_workers
from tests.run.test_ray import chain_that_hangs
from tests.run.worlds import World
world = World(Path({str(tmp_path)!r}), ray_workers(address={ray_cluster.address!r}, most=1))
world.run(chain_that_hangs(Path({str(tmp_path)!r})))
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], start_new_session=True
    )
    try:
        wait_for(lambda: (tmp_path / "hanging").exists())
        # A result is handed on before it is stored.
        wait_for(lambda: planned_for(tmp_path, workers)["b"] == "reuse")
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    _wait_until_ended(int((tmp_path / "hanging").read_text()))
    assert planned_for(tmp_path, workers) == {"a": "reuse", "b": "reuse", "h": "run"}


def planned_for(folder: Path, workers: RayWorkers) -> dict[str, str]:
    """What a later program would do."""
    planned = World(folder, workers).plan(chain_that_hangs(folder))
    return {str(s.node): s.action for s in planned.steps}


def chain_that_hangs(folder: Path) -> Graph:
    nodes = {"a": ("numbers", {}), "b": ("add", {}), "h": ("hang", {"place": str(folder)})}
    return graph(nodes, "a.table > b.dataset", "b.table > h.dataset")


def test_a_node_may_ask_for_more_than_there_is_and_is_told_before_the_first_step(
    tmp_path: Path, workers: RayWorkers
) -> None:
    drawn = branches(10)
    node = drawn.nodes[NodeId("join")]
    drawn = drawn.with_node(NodeId("join"), replace(node, resources={"cpus": 64, "gpus": 1}))
    world = World(tmp_path, workers)
    with pytest.raises(NoSuchResources) as raised:
        world.run(drawn)
    assert raised.value.fields["step"] == "join"
    assert "64 CPUs, 1 GPUs" in raised.value.happened
    assert world.events == []


def test_a_store_that_the_nodes_do_not_see_is_told_before_the_first_step(
    tmp_path: Path, workers: RayWorkers
) -> None:
    world = World(tmp_path, workers)
    # Files in the memory of one process are nowhere else.
    world.store = Store.open("memory://only-here", cache=tmp_path / "cache")
    with pytest.raises(StoreOutOfReach) as raised:
        world.run(branches(10))
    assert "MODELWRIGHT_STORE_URL" in raised.value.remedy
    assert world.events == []


def test_a_cluster_is_not_left_for_want_of_work_while_its_nodes_are_asked(
    tmp_path: Path, ray_cluster: RayCluster
) -> None:
    with ray_workers(address=ray_cluster.address, idle_s=0.01) as hasty:
        hasty.prepare(Store.open(tmp_path / "store"), {})
        wait_for(lambda: not hasty.nodes)
        # It has been left by now, and is joined anew.
        hasty.prepare(Store.open(tmp_path / "another"), {})


def test_no_cluster_at_the_address_is_told_at_once(tmp_path: Path) -> None:
    with ray_workers(name="far", address="127.0.0.1:9") as nobody:
        begun = time.monotonic()
        with pytest.raises(ClusterUnreachable) as raised:
            World(tmp_path, nobody).run(branches(10))
    assert time.monotonic() - begun < 20
    assert "modelwright compute change far --address" in raised.value.remedy


def test_packages_of_other_versions_on_a_node_are_named(tmp_path: Path) -> None:
    record = tmp_path / "elsewhere" / "polars-0.1.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: polars\nVersion: 0.1\n")
    other = {"PYTHONPATH": str(record.parent)}
    world = World(tmp_path)
    with (
        on_loopback(),
        RayCluster.started(nodes=1, environment=other) as cluster,
        ray_workers(address=cluster.address) as world.target,
        pytest.raises(ClusterVersionsDiffer) as raised,
    ):
        world.run(branches(10))
    (found,) = raised.value.fields["differing"]
    assert (found["package"], found["there"]) == ("polars", "0.1")
    assert world.events == []


def test_ray_of_another_version_is_told_as_that() -> None:
    older = RAY_ON_LOOPBACK.replace("main()\n", "import ray\nray.__version__ = '2.1.0'\nmain()\n")
    assert older != RAY_ON_LOOPBACK
    with on_loopback(), RayCluster.started(nodes=0) as cluster:
        cluster.add_node(program=older)
        refused = pytest.raises(ClusterVersionsDiffer, match=r"Ray: 2\.1\.0")
        with ray_workers(name="old", address=cluster.address) as workers, refused:
            workers.join()


def wait_for(condition: Any, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def _wait_until_ended(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        wait_for(lambda: not is_there(process))
