"""A Ray cluster whose machines are started and ended by Ray's own autoscaler."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modelwright.graph.graph import NodeId
from modelwright.run.ray_workers import RayWorkers, ray_workers
from tests.ray_cluster import RayCluster, on_loopback
from tests.ray_machines import ENVIRONMENT, autoscaling
from tests.run.test_ray import of_kind, wait_for
from tests.run.worlds import World, graph

pytestmark = pytest.mark.together


@pytest.fixture(scope="module")
def growing() -> Iterator[str]:
    """The address of a cluster that has no processors, and may have three machines with one each."""
    configured = functools.partial(autoscaling, machines=3, idle_s=2)
    with (
        on_loopback(),
        RayCluster.started(
            nodes=1, cpus=0, environment=ENVIRONMENT, autoscaling=configured
        ) as cluster,
    ):
        yield cluster.address


def machines(workers: RayWorkers) -> int:
    """How many machines there are that can do a step."""
    return sum(node["cpus"] > 0 for node in workers.nodes)


def test_machines_come_for_waiting_steps_up_to_the_most_and_go_down_to_the_least(
    growing: str, tmp_path: Path
) -> None:
    seen: list[int] = []
    gate = tmp_path / "gate"
    drawn = graph({f"s{n}": ("await", {"file": str(gate)}) for n in range(5)})
    with ray_workers(name="farm", address=growing, least=1, most=2, idle_s=2) as workers:
        workers.join()
        # Kept before anything runs.
        wait_for(lambda: machines(workers) == 1 and len(workers.pids) == 1)
        world = World(tmp_path, workers)

        def watch() -> None:
            wait_for(lambda: len(workers.pids) == 2)
            seen.append(machines(workers))
            gate.touch()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        result = world.run(drawn)
        watcher.join()
        assert result.status == "completed", result.failures
        # Five steps wait, the cluster may have three machines, and this compute two workers.
        assert seen == [2]
        wait_for(lambda: machines(workers) == 1)
        assert len(workers.pids) == 1
    with ray_workers(address=growing) as later:
        later.join()
        # Nobody wants the least any more.
        wait_for(lambda: machines(later) == 0)


def test_what_no_machine_has_is_awaited_with_a_reason_holds_up_nobody_and_is_given_up_with_the_run(
    growing: str, tmp_path: Path
) -> None:
    drawn = graph({"small": ("numbers", {}), "huge": ("numbers", {"rows": 4})})
    node = drawn.nodes[NodeId("huge")]
    drawn = drawn.with_node(NodeId("huge"), replace(node, resources={"cpus": 64}))
    cancel = threading.Event()
    with ray_workers(name="farm", address=growing, most=100, idle_s=60) as workers:
        world = World(tmp_path, workers)

        def watch() -> None:
            wait_for(lambda: "step-done" in world.kinds("small") and reasons(world, "huge"))
            cancel.set()

        threading.Thread(target=watch, daemon=True).start()
        result = world.run(drawn, cancel=cancel)
        assert result.status == "cancelled"
        assert result.steps[NodeId("small")].status == "done"
        assert reasons(world, "huge")[0].startswith(
            'A worker of "farm" is awaited: waits for 64 CPUs'
        )
        assert "no machine there has as much now" in reasons(world, "huge")[-1]
        assert not any("64 CPUs" in text for text in reasons(world, "small"))
        # What was ordered for it is not ordered any more.
        wait_for(lambda: workers.ordered == 0)


def reasons(world: World, node: str) -> list[str]:
    """For which workers a step has waited, in order."""
    queued = [e for e in of_kind(world, "step-queued") if e.node == node]
    return [r.text for e in queued for r in e.reasons if r.code == "worker-awaited"]
