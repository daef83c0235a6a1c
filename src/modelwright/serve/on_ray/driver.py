"""The process that speaks to a Ray cluster for its endpoints: `python -m modelwright.serve.on_ray.driver`.

Ray knows one cluster in a process, and ends the process when the cluster's head is lost; so each
cluster has a process of its own.  A line of JSON comes for each order, and one goes back.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

_TICK = 0.2
_FIGURES_S = 3.0
_RUNNING = "RUNNING"
_FAILED = ("DEPLOY_FAILED",)


class Refused(Exception):
    """An order cannot be carried out; kind: "unreachable", "failed" or "no-room"."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Driver:
    """Carries out orders about endpoints."""

    def connect(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Join the cluster."""
        import ray

        if not ray.is_initialized():
            try:
                ray.init(address=order["address"], log_to_driver=False, logging_level=40)
            except (RuntimeError, ConnectionError, ValueError) as error:
                raise Refused("unreachable", _first(error)) from None
        return {"version": ray.__version__}

    def capacity(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What the cluster has, and what a single node of it has at the most."""
        nodes = [n["Resources"] for n in _nodes()]
        cores = [float(n.get("CPU", 0.0)) for n in nodes]
        memory = [float(n.get("memory", 0.0)) / 1e9 for n in nodes]
        return {
            "nodes": len(nodes),
            "cpu_cores": sum(cores),
            "memory_gb": sum(memory),
            "most_cores": max(cores, default=0.0),
            "most_memory": max(memory, default=0.0),
        }

    def apply(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Deploy an endpoint, and wait until it answers."""
        from ray import serve
        from ray.serve.config import HTTPOptions

        from modelwright.serve.on_ray.replica import RayReplica, prefix_of

        name = order["name"]
        serve.start(proxy_location="HeadOnly", http_options=HTTPOptions(**order["http"]))
        # A class made by `ingress` is pickled whole, and the cluster's nodes have Modelwright.
        asgi: Any = serve.ingress()
        kind: Any = serve.deployment(asgi(RayReplica))
        # Without a version of one's own any change, of a key too, would start all replicas anew.
        made = kind.options(
            name="replica", version=order["version"], _internal=True, **order["options"]
        )
        packages = {k: Path(path).read_bytes() for k, path in order["packages"].items()}
        app = made.bind(name, packages)
        targets = [serve.RunTarget(app, name=_application(name), route_prefix=prefix_of(name))]
        serve.run_many(targets, wait_for_applications_running=False)
        self._wait(name, order["seconds"])
        return self.status(order)

    def _wait(self, name: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            found = self._application(name)
            state = found.get("status") if found else None
            if state == _RUNNING:
                return
            if state in _FAILED:
                raise Refused("failed", _why(found))
            if time.monotonic() > until:
                raise Refused("failed", f"it was not ready after {seconds:g} s. {_why(found)}")
            time.sleep(_TICK)

    def delete(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Take an endpoint off the cluster when its requests in work are answered."""
        from ray import serve

        with suppress(KeyError):
            serve.delete(_application(order["name"]))
        return {}

    def status(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """How an endpoint does, where it answers, and the processes of its replicas."""
        found = self._application(order["name"])
        if not found:
            return {"status": "", "message": "", "pids": [], "host": "", "port": 0}
        replicas = _replicas(found)
        http = self._details().get("http_options") or {}
        host = http.get("host") or "127.0.0.1"
        return {
            "status": found["status"],
            "message": _why(found),
            "pids": [r["pid"] for r in replicas if r["state"] == _RUNNING and r["pid"]],
            "host": _head_address() if host == "0.0.0.0" else host,  # noqa: S104  # read, not bound
            "port": http.get("port") or 0,
            "figures": self._figures(order["name"]) if found["status"] == _RUNNING else [],
        }

    def _figures(self, name: str) -> list[dict[str, Any]]:
        """What each replica has answered; nothing where the cluster's Ray cannot ask all of them."""
        from ray import serve

        with suppress(Exception):
            handle: Any = serve.get_app_handle(_application(name))
            found: list[dict[str, Any]] = handle.broadcast("figures").results(timeout_s=_FIGURES_S)
            return found
        return []

    def measurements(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What each replica counted in each second after a moment."""
        from ray import serve

        handle: Any = serve.get_app_handle(_application(order["name"]))
        asked = handle.broadcast("seconds", order["since"])
        return {"replicas": asked.results(timeout_s=_FIGURES_S)}

    def log(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What each replica has written after a place in its log, from the node that it is on."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        found = self._application(order["name"])
        texts = {}
        for replica in _replicas(found or {}):
            if replica.get("node_id") and replica.get("log_file_path"):
                there = NodeAffinitySchedulingStrategy(replica["node_id"], soft=False)
                task = ray.remote(_written).options(num_cpus=0, scheduling_strategy=there)
                name = replica["replica_id"]
                place = order["places"].get(name, 0)
                reading = task.remote(replica["log_file_path"], place, order["bytes"])
                texts[name] = ray.get(reading, timeout=30)
        return {"texts": texts}

    def _application(self, name: str) -> Any:
        return self._details().get("applications", {}).get(_application(name))

    def _details(self) -> dict[str, Any]:
        from ray.serve.context import _get_global_client

        client = _get_global_client(raise_if_no_controller_running=False)
        if client is None:
            return {}
        details: dict[str, Any] = client.get_serve_details()
        return details


def _application(name: str) -> str:
    return f"modelwright-{name}"


def _replicas(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [r for d in found.get("deployments", {}).values() for r in d.get("replicas", [])]


def _why(found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    said = [found.get("message", "")]
    said += [d.get("message", "") for d in found.get("deployments", {}).values()]
    return " ".join(dict.fromkeys(s.strip() for s in said if s and s.strip()))


def _head_address() -> str:
    heads = (n for n in _nodes() if "node:__internal_head__" in n["Resources"])
    return next((str(n["NodeManagerAddress"]) for n in heads), "127.0.0.1")


def _nodes() -> list[dict[str, Any]]:
    ray: Any = import_module("ray")
    return [n for n in ray.nodes() if n["Alive"]]


def _written(path: str, place: int, most: int) -> tuple[str, int]:
    """The last whole lines of a log of Ray's after a place, on the node that this runs on, and the next place.

    A log that was turned over in the meantime is read from its beginning.
    """
    worker: Any = import_module("ray._private.worker")
    folder = Path(worker.global_worker.node.get_logs_dir_path())
    with (folder / path.lstrip("/")).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(place if place <= size else 0, size - most)
        file.seek(start)
        content = file.read(size - start)
    whole = content[: content.rfind(b"\n") + 1]
    return whole.decode(errors="replace"), start + len(whole)


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def main(orders: TextIO, answers: TextIO) -> int:
    """Carry out orders until there are no more."""
    driver = Driver()
    for line in orders:
        order = json.loads(line)
        try:
            said = getattr(driver, order["do"])(order)
        except Refused as refused:
            said = {"refused": refused.kind, "why": str(refused)}
        except Exception as error:  # noqa: BLE001  # whatever Ray raises, nobody else can tell of it
            said = {"refused": "failed", "why": f"{type(error).__name__}: {_first(error)}"}
        answers.write(json.dumps(said) + "\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    # What libraries print must not stand between the answers.
    own = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.exit(main(sys.stdin, own))
