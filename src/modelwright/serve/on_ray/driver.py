"""The process that speaks to a Ray cluster for its endpoints: `python -m modelwright.serve.on_ray.driver`.

Ray knows one cluster in a process, and ends the process when the cluster's head is lost; so each
cluster has a process of its own.  A line of JSON comes for each order, and one goes back.
"""

from __future__ import annotations

import inspect
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
_KEPT_S = 30.0
_REPLICA, _DOOR = "replica", "door"
_STARTING, _RUNNING = "STARTING", "RUNNING"
_FAILED = ("DEPLOY_FAILED",)


class Refused(Exception):
    """An order cannot be carried out; kind: "unreachable", "failed" or "no-room"."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Driver:
    """Carries out orders about endpoints."""

    def __init__(self) -> None:
        # Since when replicas have no process though there is room, by endpoint and replica; nodes have other clocks.
        self._seen: dict[tuple[str, str], float] = {}

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
        """Deploy an endpoint, and wait until it answers.

        version: of its replicas; those of another one are made anew.  begin_seconds: after which a replica that Ray
        has not begun, though there is room, is ordered anew; the version in the answer is another one then.
        door: where it answers over TLS, and with which certificate; null for Ray's own proxy.
        """
        from ray import serve
        from ray.serve.config import HTTPOptions

        from modelwright.serve.certificates import Pair
        from modelwright.serve.on_ray import keeping, left
        from modelwright.serve.on_ray.replica import RayReplica, prefix_of

        name, door = order["name"], order["door"]
        serve.start(proxy_location="HeadOnly", http_options=HTTPOptions(**order["http"]))
        # A class made by `ingress` is pickled whole, and the cluster's nodes have Modelwright.
        asgi: Any = serve.ingress()
        kind: Any = serve.deployment(asgi(RayReplica))
        # Without a version of one's own any change, of a key too, would start all replicas anew.
        options = {**order["options"], **_exchanged(order["options"]["ray_actor_options"])}
        packages = {k: Path(path).read_bytes() for k, path in order["packages"].items()}
        if order["kept"]:
            keeping.made(name, order["kept"])
        if door:
            pair = door["pair"]
            left.leave(name, Pair(pair["certificate"].encode(), pair["key"].encode()))

        def run(version: str) -> None:
            made = kind.options(name=_REPLICA, version=version, _internal=True, **options)
            app: Any = made.bind(name, packages)
            if door:
                app = _door(name, {**door["config"], "host": self._http()["host"]}, app)
            # Behind a door nobody is answered by Ray's own proxy, which has no certificate.
            prefix = None if door else prefix_of(name)
            targets = [serve.RunTarget(app, name=_application(name), route_prefix=prefix)]
            serve.run_many(targets, wait_for_applications_running=False)

        version = order["version"]
        run(version)
        until = time.monotonic() + order["seconds"]
        while not self._wait(order, until):
            # Ray Serve ends what has not begun when there is a newer version of it.
            version = f"{version}-again"
            run(version)
        if door:
            self._wait_for_door(name, door["config"]["shown"], order["seconds"])
        else:
            left.forget(name)
        return {**self.status(order), "version": version}

    def _wait_for_door(self, name: str, shown: str, seconds: float) -> None:
        """Wait until the certificate is the one that new connections are shown."""
        from ray import serve

        until = time.monotonic() + seconds
        handle = serve.get_deployment_handle(_DOOR, _application(name))
        while handle.told.remote().result(timeout_s=seconds)["shown"] != shown:
            if time.monotonic() > until:
                raise Refused("failed", f"the certificate was not taken up in {seconds:g} s.")
            time.sleep(_TICK)

    def _wait(self, order: Mapping[str, Any], until: float) -> bool:
        """Wait until an endpoint answers; False when Ray has lost a replica.

        until: by the monotonic clock.
        """
        while True:
            found = self._application(order["name"])
            state = found.get("status") if found else None
            if state == _RUNNING:
                return True
            if state in _FAILED:
                raise Refused("failed", _why(found))
            if time.monotonic() > until:
                late = f"it was not ready after {order['seconds']:g} s."
                raise Refused("failed", f"{late} {_why(found)}")
            if self.lost(order)["lost"]:
                return False
            time.sleep(_TICK)

    def lost(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Whether Ray does not begin a replica though there has been room for a while; calls see it from the first on."""
        now = time.monotonic()
        name = order["name"]
        waiting = {(name, r) for r in _not_begun(self._application(name) or {})}
        if waiting and not _room_for(order["options"]["ray_actor_options"]):
            waiting = set()
        others = {k: at for k, at in self._seen.items() if k[0] != name}
        own = {k: self._seen.get(k, now) for k in waiting}
        self._seen = {**others, **own}
        return {"lost": now - min(own.values(), default=now) > order["begin_seconds"]}

    def delete(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Take an endpoint off the cluster when its requests in work are answered."""
        from ray import serve

        from modelwright.serve.on_ray import left

        with suppress(KeyError):
            serve.delete(_application(order["name"]))
        left.forget(order["name"])
        return {}

    def collected(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of requests and replies, and somebody else does not have yet."""
        import ray

        from modelwright.serve.on_ray import keeping

        actor = keeping.found(order["name"])
        if actor is None:
            return {"pieces": []}
        said: dict[str, Any] = ray.get(actor.lacking.remote(order["wish"]), timeout=_KEPT_S)
        return said

    def keep_no_more(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """End who keeps requests and replies, with all that was not brought."""
        import ray

        from modelwright.serve.on_ray import keeping

        actor = keeping.found(order["name"])
        if actor is not None:
            ray.kill(actor)
        return {}

    def status(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """How an endpoint does, where it answers, and the processes of its replicas."""
        from modelwright.serve.on_ray import left

        found = self._application(order["name"])
        if not found:
            return {"status": "", "message": "", "pids": [], "host": "", "port": 0}
        replicas = _replicas(found, _REPLICA)
        http = self._http()
        host = http["host"]
        port = left.port_of(order["name"]) if _DOOR in found["deployments"] else http.get("port")
        return {
            "status": found["status"],
            "message": _why(found),
            "pids": [r["pid"] for r in replicas if r["state"] == _RUNNING and r["pid"]],
            "host": _head_address() if host == "0.0.0.0" else host,  # noqa: S104  # read, not bound
            "port": port or 0,
            "figures": self._figures(order["name"]) if found["status"] == _RUNNING else [],
        }

    def _figures(self, name: str) -> list[dict[str, Any]]:
        """What each replica has answered; nothing where the cluster's Ray cannot ask all of them."""
        from ray import serve

        with suppress(Exception):
            handle: Any = serve.get_deployment_handle(_REPLICA, _application(name))
            found: list[dict[str, Any]] = handle.broadcast("figures").results(timeout_s=_FIGURES_S)
            return found
        return []

    def measurements(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What each replica counted in each second after a moment."""
        from ray import serve

        handle: Any = serve.get_deployment_handle(_REPLICA, _application(order["name"]))
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

    def _http(self) -> dict[str, Any]:
        """Where Ray Serve listens; it may have been running before with another address."""
        found = self._details().get("http_options") or {}
        return {**found, "host": found.get("host") or "127.0.0.1"}

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


def _door(name: str, config: Mapping[str, Any], replicas: Any) -> Any:
    """A door before replicas, on the head's node."""
    from ray import serve

    from modelwright.serve.on_ray.door import Door

    made: Any = serve.deployment(Door)
    on_head = {"num_cpus": 0, "resources": {"node:__internal_head__": 0.001}}
    options = {"num_replicas": 1, "user_config": dict(config), "ray_actor_options": on_head}
    # With a version of its own it goes on when its configuration changes.
    return made.options(name=_DOOR, version="1", _internal=True, **options).bind(name, replicas)


def _replicas(found: Mapping[str, Any], of: str | None = None) -> list[dict[str, Any]]:
    """The processes of a deployment of an application; those of all for None."""
    deployments = found.get("deployments", {})
    return [r for n, d in deployments.items() if of in (None, n) for r in d.get("replicas", [])]


def _not_begun(found: Mapping[str, Any]) -> list[str]:
    """The replicas of an application that Ray has been asked for, and has not begun."""
    replicas = _replicas(found, _REPLICA)
    return [r["replica_id"] for r in replicas if r["state"] == _STARTING and not r.get("pid")]


def _exchanged(each: Mapping[str, Any]) -> dict[str, Any]:
    """How Ray Serve exchanges replicas: new ones begin before former ones end, where one more has room.

    Without room they would wait for each other.  Earlier versions of Ray only know the other order, in which requests
    to the only replica wait.
    """
    from ray import serve

    known = "max_surge_percent" in inspect.signature(serve.deployment).parameters
    return {"max_surge_percent": 100} if known and _room_for(each) else {}


def _room_for(each: Mapping[str, Any]) -> bool:
    """Whether a node has what Ray sets aside for a replica."""
    state: Any = import_module("ray._private.state")
    return any(
        free.get("CPU", 0.0) >= each["num_cpus"] and free.get("memory", 0.0) >= each["memory"]
        for free in state.available_resources_per_node().values()
    )


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
