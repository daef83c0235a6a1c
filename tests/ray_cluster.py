"""A real Ray cluster of several nodes on this machine, for tests: every process of it ends with it.

    def test_…(ray_cluster: RayCluster) -> None: ...

Each node is a `ray start` of its own on loopback, with ports of its own, a bounded object store, no
dashboard and no reports to anyone.  Nodes are ended by the ids of their processes, so other clusters
of this machine are left alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

_UP_S = 120.0
_SIGNAL_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_HOST = "127.0.0.1"
_AUTOSCALING = "autoscaling.json"
# Ray takes the machine's own address where a loopback one is given; tests listen on loopback only.
RAY_ON_LOOPBACK = """
import ray._private.services as services
services.resolve_ip_for_localhost = lambda host: host
services.get_node_ip_address = lambda address=None: "127.0.0.1"
from ray.scripts.scripts import main
main()
"""


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, below those that the system gives to connections meanwhile."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(12_000, 32_000)
        with socket.socket() as one, suppress(OSError):
            one.bind((_HOST, port))
            if port not in found:
                found.append(port)
    return found


def _unbounded() -> None:
    """Lift the bound on memory that tests have, as Ray's daemons reserve more than they use."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    if sys.platform == "linux":
        # A test session that is killed takes its clusters with it: a node ends its daemons when asked to.
        ctypes.CDLL(None).prctl(_SIGNAL_WITH_PARENT, signal.SIGTERM)


@dataclass(eq=False)
class RayNode:
    """A node: the process that keeps its daemons, and what all of them wrote."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path
    _seen: dict[int, psutil.Process] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """The process that started the node's daemons."""
        return self.process.pid

    def processes(self) -> list[psutil.Process]:
        """Every process of the node that is there: daemons, and workers with what they started."""
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.pid)
            for found in [top, *top.children(recursive=True)]:
                self._seen[found.pid] = found
        return [p for p in self._seen.values() if p.is_running()]

    def kill(self) -> None:
        """End the whole node at once, as a power cut does."""
        # All stand still before the first ends, so that none tells of another's end.
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        # A daemon may start another one while the list is made, so it is made until it stays empty.
        deadline = time.monotonic() + 20
        while (found := self.processes()) and time.monotonic() < deadline:
            for process in found:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.2)
            if not any(is_there(process) for process in found):
                break
        self.process.wait(20)


def is_there(process: psutil.Process) -> bool:
    """Whether a process has not ended, if it has been waited for or not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class RayCluster:
    """A head node and others that joined it.  address: for `ray.init`."""

    address: str
    folder: Path
    nodes: list[RayNode] = field(default_factory=list)
    _numbers: int = 0

    @classmethod
    @contextmanager
    def started(
        cls,
        *,
        nodes: int = 2,
        cpus: int = 1,
        object_store_mb: int = 100,
        environment: Mapping[str, str] | None = None,
        autoscaling: Callable[[str], Mapping[str, Any]] | None = None,
        wrapper: Sequence[str] = (),
    ) -> Iterator[RayCluster]:
        """A cluster for a while.  cpus, object_store_mb: of each node.

        environment: of the daemons and workers, beside that of this process.  autoscaling: gives, for
        the cluster's address, how Ray's autoscaler is configured.  wrapper: a command that runs each
        node's.
        """
        # Sockets of a node lie below it, and the paths of sockets are short.
        folder = Path(tempfile.mkdtemp(prefix="mw-ray-", dir="/tmp"))
        cluster = cls(f"{_HOST}:{_free_ports(1)[0]}", folder)
        try:
            if autoscaling:
                (folder / _AUTOSCALING).write_text(json.dumps(autoscaling(cluster.address)))
            for _ in range(nodes):
                cluster.add_node(
                    cpus=cpus,
                    object_store_mb=object_store_mb,
                    environment=environment,
                    wrapper=wrapper,
                )
            yield cluster
        finally:
            cluster.stop()

    def add_node(
        self,
        *,
        cpus: int = 1,
        object_store_mb: int = 100,
        resources: Mapping[str, float] | None = None,
        environment: Mapping[str, str] | None = None,
        program: str = RAY_ON_LOOPBACK,
        wrapper: Sequence[str] = (),
    ) -> RayNode:
        """Start one more node, and wait until it has joined.

        program: what stands for `ray`.  wrapper: a command that runs it.
        """
        self._numbers += 1
        name = f"node-{self._numbers}"
        head = not self.nodes
        ports = _free_ports(7)
        place = [f"--port={self.address.rpartition(':')[2]}", "--head", "--dashboard-host", _HOST]
        command = [
            *wrapper,
            sys.executable,
            "-c",
            program,
            "start",
            *(place if head else [f"--address={self.address}"]),
            "--block",
            f"--node-ip-address={_HOST}",
            f"--num-cpus={cpus}",
            "--num-gpus=0",
            f"--object-store-memory={object_store_mb << 20}",
            f"--resources={json.dumps({name: 1.0, **(resources or {})})}",
            f"--object-manager-port={ports[0]}",
            f"--node-manager-port={ports[1]}",
            f"--dashboard-agent-listen-port={ports[2]}",
            f"--dashboard-agent-grpc-port={ports[3]}",
            f"--runtime-env-agent-port={ports[4]}",
            f"--metrics-export-port={ports[5]}",
            # Ports of workers are left to the system, so that clusters do not meet.
            "--min-worker-port=0",
            "--max-worker-port=0",
            "--disable-usage-stats",
            "--include-log-monitor=false",
            "--log-style=record",
            "--log-color=false",
        ]
        if head:
            command += ["--include-dashboard=false", f"--ray-client-server-port={ports[6]}"]
            command += [f"--temp-dir={self.folder / 'ray'}"]
        grows = head and (self.folder / _AUTOSCALING).exists()
        command += (
            [f"--autoscaling-config={self.folder / _AUTOSCALING}"] if grows else ["--no-monitor"]
        )
        output = self.folder / f"{name}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                # As on a machine of its own; what is kept there goes with the cluster.
                env=_environment(
                    {"XDG_CACHE_HOME": str(self.folder / "cache" / name), **(environment or {})}
                ),
                start_new_session=True,
                preexec_fn=_unbounded,
            )
        node = RayNode(name, process, output)
        self.nodes.append(node)
        self._wait_until_up(node)
        return node

    def _wait_until_up(self, node: RayNode) -> None:
        deadline = time.monotonic() + _UP_S
        while time.monotonic() < deadline:
            if b"Ray runtime started" in node.output.read_bytes():
                node.processes()
                return
            if node.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"{node.name} did not start:\n{node.output.read_text()}")

    def kill_node(self, node: RayNode) -> None:
        """End a node at once; the others find out by themselves."""
        node.kill()
        self.nodes.remove(node)

    def stop(self) -> None:
        """End every process of the cluster, and take its files away."""
        for node in reversed(self.nodes):
            node.kill()
        self.nodes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    # What pytest tells its own process must not reach the workers.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "RAY_"))}
    return {
        **kept,
        "RAY_USAGE_STATS_ENABLED": "0",
        # Whatever token this user has for other clusters.
        "RAY_AUTH_MODE": "disabled",
        # Its daemons are many, and the machine may be busy.
        "RAY_raylet_start_wait_time_s": "120",
        "RAY_enable_metrics_collection": "0",
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_timeout_ms": "1000",
        "RAY_health_check_failure_threshold": "3",
        **(more or {}),
    }


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[RayCluster]:
    """Two nodes with a processor each, for every test of the session; a test that kills adds its own."""
    with on_loopback(), RayCluster.started(nodes=2) as cluster:
        yield cluster


@contextmanager
def on_loopback() -> Iterator[None]:
    """Let programs of this process join clusters on loopback, where Ray would take another address."""
    wanted = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}
    former = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in former.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
