"""Ray ends a step when a machine runs low on memory: what becomes of it, and what is said."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from modelwright.graph.graph import NodeId
from modelwright.run.events import StepEvent
from modelwright.run.ray_workers import ray_workers
from tests.ray_cluster import RayCluster, on_loopback
from tests.run.worlds import World, graph

pytestmark = pytest.mark.together

_GIGABYTE = 1 << 20  # in the kilobytes of /proc/meminfo


def tell_memory(file: Path, available: int) -> None:
    """Have a machine of 8 GB seem to have so many kilobytes left."""
    names = {"MemTotal": 8 * _GIGABYTE, "MemFree": available, "MemAvailable": available}
    names |= {"Buffers": 0, "Cached": 0, "SwapTotal": 0, "SwapFree": 0, "Shmem": 0}
    # In place, as another file of this name would not be the one that is mounted.
    with file.open("r+" if file.exists() else "w") as written:
        written.write("".join(f"{name + ':':16}{kb:>12} kB\n" for name, kb in names.items()))
        written.truncate()


def seeing(file: Path) -> list[str]:
    """A command that runs another one, for which the machine's memory is what a file says."""
    mounted = f'mount --bind {file} /proc/meminfo && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mounted, "sh"]


def test_a_step_that_ray_ends_for_want_of_memory_fails_at_once_and_says_so(tmp_path: Path) -> None:
    memory = tmp_path / "meminfo"
    tell_memory(memory, 6 * _GIGABYTE)
    tried = subprocess.run([*seeing(memory), "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("needs the right to mount a file")
    often = {"RAY_memory_monitor_refresh_ms": "100", "RAY_memory_usage_threshold": "0.9"}
    running = threading.Event()
    nodes = {"n": ("numbers", {}), "a": ("await", {"file": str(tmp_path / "never")})}
    with (
        on_loopback(),
        RayCluster.started(nodes=1, cpus=2, environment=often, wrapper=seeing(memory)) as cluster,
        ray_workers(address=cluster.address, most=1) as workers,
    ):
        workers.retries = 2
        world = World(tmp_path, workers)
        happened: set[tuple[str, str]] = set()

        def listen(event: object) -> None:
            if isinstance(event, StepEvent):
                happened.add((event.node, event.kind))
            if {("n", "step-done"), ("a", "step-running")} <= happened:
                running.set()

        def take() -> None:
            running.wait()
            tell_memory(memory, _GIGABYTE // 10)

        threading.Thread(target=take, daemon=True).start()
        result = world.run(graph(nodes), on_event=listen)
    (failure,) = result.failures
    assert (failure.node, failure.code) == ("a", "out-of-memory")
    assert '"Await" needs more memory than there is' in failure.message
    assert "larger machine" in failure.message
    assert world.kinds("a").count("step-running") == 1
    assert result.steps[NodeId("n")].status == "done"
