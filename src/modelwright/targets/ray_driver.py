"""The process that speaks to a Ray cluster: `python -m modelwright.targets.ray_driver DESCRIPTOR`.

Ray knows one cluster in a process, and ends the process when the cluster's head is lost; so each
cluster has a process of its own that does nothing else.  Orders come and news go as pickled tuples.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from modelwright.targets.channel import READY, Channel
from modelwright.targets.ray_worker import VALUE, RayWorker

_LOOK_EVERY_S = 0.5
_SLOW_S = 2.0
_LOST_S = 4.0
_UNAVAILABLE_S = 90.0
_NODE_LOST = "node has died"
_CONCURRENCY = 8
_PROBES = 3
_PROBE_S = 45


class Driver:
    """Carries out orders.  tell: sends a piece of news."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._actors: dict[int, Any] = {}
        self._waiting: dict[int, tuple[float, Mapping[str, Any]]] = {}
        self._values: dict[tuple[int, str], Any] = {}
        self._nodes: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._asked_for_machines = False

    def connect(self, options: Mapping[str, Any]) -> None:
        """Join the cluster at an address, or start one on this machine; tell of its nodes."""
        try:
            ray = _ray()
        except ImportError as error:
            kind = "missing" if error.name == "ray" else "unreachable"
            self._tell("failed", kind, str(error))
            return
        address = options["address"]
        common = {"log_to_driver": False, "namespace": options["namespace"], "logging_level": 40}
        try:
            if address:
                if not _answers(address):
                    self._tell("failed", "unreachable", "nothing answers there")
                    return
                ray.init(address=address, **common)
            else:
                ray.init(
                    address="local",
                    num_cpus=options["most"] or os.cpu_count(),
                    include_dashboard=False,
                    _node_ip_address="127.0.0.1",
                    **common,
                )
            if address and options["least"]:
                self._ask_for_machines(options["least"])
        except RuntimeError as error:
            kind = "version" if "ersion mismatch" in str(error) else "unreachable"
            self._tell("failed", kind, _first(error))
            return
        except Exception as error:  # noqa: BLE001  # whatever Ray raises, nobody else can tell of it
            self._tell("failed", "unreachable", _first(error))
            return
        self._look()
        self._tell("connected", ray.__version__)
        threading.Thread(target=self._watch, name="watch the cluster", daemon=True).start()

    def _ask_for_machines(self, cpus: int) -> None:
        """Have Ray's autoscaler keep machines with so many processors, until this process ends.

        A cluster remembers one such wish: that of whoever asked last.
        """
        from ray.autoscaler.sdk import request_resources

        # Nothing hears it in a cluster whose size is fixed.
        with suppress(Exception):
            request_resources(num_cpus=cpus)
            self._asked_for_machines = cpus > 0

    def leave(self) -> None:
        """Leave the cluster: it ends the workers; one that was started here ends, too."""
        if self._asked_for_machines:
            self._ask_for_machines(0)
        with suppress(Exception):
            _ray().shutdown()

    def start(self, number: int, shape: Mapping[str, Any], program: str, options: Any) -> None:
        """Start a worker of a shape."""
        ray = _ray()

        actor = (
            ray.remote(RayWorker)
            .options(
                num_cpus=shape["cpus"],
                num_gpus=shape["gpus"],
                memory=shape["memory"] or None,
                max_restarts=0,
                max_concurrency=_CONCURRENCY,
                runtime_env=shape["environment"],
            )
            .remote(program, options)
        )
        with self._lock:
            self._actors[number] = actor
            self._waiting[number] = (time.monotonic(), shape)
        said = actor.listen.options(num_returns="streaming").remote()
        threading.Thread(target=self._listen, args=(number, said), daemon=True).start()

    def send(self, number: int, session: int, body: bytes, names: Sequence[str]) -> None:
        """Give a worker a message, with what others have handed on under these names."""
        with self._lock:
            actor = self._actors.get(number)
            found = [(n, self._values[session, n]) for n in names if (session, n) in self._values]
        if actor is not None:
            actor.handle.remote(session, body, [n for n, _ in found], [ref for _, ref in found])

    def drop(self, session: int, names: Sequence[str] | None) -> None:
        """Let go of values that were handed on; of all of a session for None."""
        with self._lock:
            gone = [k for k in self._values if k[0] == session and (names is None or k[1] in names)]
            for key in gone:
                del self._values[key]

    def kill(self, number: int) -> None:
        """End a worker at once."""
        ray = _ray()

        with self._lock:
            actor = self._actors.get(number)
        if actor is not None:
            with suppress(ValueError):
                ray.kill(actor)

    def probe(self, asked: int, function: str, arguments: Sequence[Any], environment: Any) -> None:
        """Call a function on every node, and tell what each gave, or why it gave nothing."""
        threading.Thread(
            target=self._probe, args=(asked, function, arguments, environment), daemon=True
        ).start()

    def _probe(self, asked: int, function: str, arguments: Sequence[Any], environment: Any) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray = _ray()
        nodes = {n["id"]: n["name"] for n in self._there()}
        task = ray.remote(call)
        found: dict[str, tuple[bool, Any]] = {}
        # A node that has just come up may lose the first thing that it is asked.
        for _ in range(_PROBES):
            refs = {}
            for node in nodes.keys() - found.keys():
                there = NodeAffinitySchedulingStrategy(node, soft=False)
                refs[node] = task.options(
                    num_cpus=0, scheduling_strategy=there, runtime_env=environment
                ).remote(function, *arguments)
            deadline = time.monotonic() + _PROBE_S
            while refs and time.monotonic() < deadline:
                ready, _ = ray.wait(list(refs.values()), timeout=_LOOK_EVERY_S)
                for node in [n for n, ref in refs.items() if ref in ready]:
                    found[node] = _given(refs.pop(node))
                # One that has died meanwhile is no longer asked, whatever it said of that.
                for node in nodes.keys() - {n["id"] for n in self._there()}:
                    del nodes[node]
                    refs.pop(node, None)
                    found.pop(node, None)
            for ref in refs.values():
                ray.cancel(ref, force=True)
        for node in nodes.keys() - found.keys():
            found[node] = (False, f"it did not answer in {_PROBES * _PROBE_S} seconds")
        self._tell("probed", asked, {nodes[n]: what for n, what in found.items()})

    def _listen(self, number: int, said: Any) -> None:
        ray = _ray()

        node, why, full = "", "", 0
        kept: tuple[int, str] | None = None
        try:
            for ref in said:
                kept = None
                kind, *rest = ray.get(ref)
                if kind == "up":
                    node = rest[0]
                    with self._lock:
                        self._waiting.pop(number, None)
                    self._tell("up", number, self._name(node), rest[1])
                elif kind == VALUE:
                    value, kept = next(said), (rest[0], rest[1])
                    with self._lock:
                        self._values[kept] = value
                    # From here on it is dropped when nobody wants it.
                    del value
                else:
                    self._tell("message", number, *rest)
            # What cannot be kept is the last that a worker says.
            if kept and (why := self._no_room_for(kept)):
                full = self._object_store(node)
            why = why or "it ended"
        except ray.exceptions.ActorUnavailableError as error:
            why = self._why_unavailable(number, str(error))
        except Exception as error:  # noqa: BLE001  # each way to die has an exception of its own
            why = str(error)
        with self._lock:
            self._actors.pop(number, None)
            self._waiting.pop(number, None)
        lost = not full and self._is_lost(node, why)
        self._tell("gone", number, _told(why), lost, _is_starved(why), full)

    def _why_unavailable(self, number: int, why: str) -> str:
        """What became of a worker whose connection broke: the cluster knows later than the connection."""
        ray = _ray()

        with self._lock:
            actor = self._actors[number]
        deadline = time.monotonic() + _UNAVAILABLE_S
        while time.monotonic() < deadline:
            try:
                ray.get(actor.__ray_ready__.remote(), timeout=_LOST_S)
            except ray.exceptions.ActorDiedError as error:
                return str(error)
            except (ray.exceptions.RayError, TimeoutError):
                time.sleep(_LOOK_EVERY_S)
                continue
            break
        # It may be there again, but what it said meanwhile is not.
        ray.kill(actor)
        return f"its {_NODE_LOST}, as far as can be told from here: {why}"

    def _is_lost(self, node: str, why: str) -> bool:
        """Whether the worker's machine is gone; the cluster may notice the worker's end first."""
        ray = _ray()

        if _NODE_LOST in why or "node died" in why.lower():
            return True
        if not node:
            return False
        deadline = time.monotonic() + _LOST_S
        while "connection error" in why and time.monotonic() < deadline:
            alive = {n["NodeID"] for n in ray.nodes() if n["Alive"]}
            if node not in alive:
                return True
            if _raylet_answers(node):
                return False
            time.sleep(0.1)
        return node not in {n["NodeID"] for n in ray.nodes() if n["Alive"]}

    def _name(self, node: str) -> str:
        with self._lock:
            return next((n["name"] for n in self._nodes if n["id"] == node), node[-6:])

    def _no_room_for(self, kept: tuple[int, str]) -> str:
        """Why a value was not kept, when there was no room for it; empty otherwise."""
        ray = _ray()

        full = (ray.exceptions.ObjectStoreFullError, ray.exceptions.OutOfDiskError)
        with self._lock:
            value = self._values.pop(kept, None)
        try:
            ray.get(value if value is not None else [], timeout=_LOST_S)
        except full as error:
            return _first(error)
        except ray.exceptions.RayTaskError as error:
            return _first(error.cause) if isinstance(error.cause, full) else ""
        except (ray.exceptions.RayError, TimeoutError):
            pass
        return ""

    def _object_store(self, node: str) -> int:
        """Bytes of a node's object store; 1 when it is not known any more."""
        with self._lock:
            found = next((n["object_store"] for n in self._nodes if n["id"] == node), 0)
        return found or 1

    def _there(self) -> list[dict[str, Any]]:
        """The nodes that are alive."""
        return [_described(n) for n in _ray().nodes() if n["Alive"]]

    def _look(self) -> None:
        """Tell of the nodes when they are others than before."""
        nodes = self._there()
        with self._lock:
            changed, self._nodes = nodes != self._nodes, nodes
        if changed:
            self._tell("nodes", nodes)

    def _watch(self) -> None:
        """Look at the nodes, and tell of workers that are long in coming."""
        ray = _ray()

        while True:
            time.sleep(_LOOK_EVERY_S)
            self._look()
            now = time.monotonic()
            with self._lock:
                slow = [(n, w) for n, (since, w) in self._waiting.items() if now - since > _SLOW_S]
                nodes = self._nodes
            if slow:
                free = ray.available_resources().get("CPU", 0)
                for number, wanted in slow:
                    self._tell(
                        "delayed", number, f"{wanted['text']}; {_there_is(wanted, nodes, free)}"
                    )


def _there_is(wanted: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], free: float) -> str:
    """Why a worker is not there yet, as half a sentence.  free: processors."""
    kinds = ("cpus", "gpus", "memory")
    if not any(all(node[kind] >= wanted[kind] for kind in kinds) for node in nodes):
        return "no machine there has as much now"
    return f"{free:g} {'CPU is' if free == 1 else 'CPUs are'} free there"


def call(function: str, *arguments: Any) -> Any:
    """Call a function that is named as "module:name"."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)(*arguments)


def _given(ref: Any) -> tuple[bool, Any]:
    """What a call gave, or why it gave nothing."""
    try:
        return True, _ray().get(ref)
    except Exception as error:  # noqa: BLE001  # a node's fault is what is asked for
        return False, _first(error)


def _ray() -> Any:
    """Ray, whose functions carry no types."""
    import ray

    return ray


def _answers(address: str) -> bool:
    """Whether anything listens at an address; Ray itself would wait for minutes."""
    import socket

    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + 3
    while True:
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=3):
                return True
        except (OSError, ValueError, OverflowError):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)


def _raylet_answers(node: str) -> bool:
    """Whether the keeper of a node still listens."""
    import socket

    ray = _ray()

    for found in ray.nodes():
        if found["NodeID"] == node and found["Alive"]:
            try:
                place = (found["NodeManagerAddress"], found["NodeManagerPort"])
                with socket.create_connection(place, timeout=1):
                    return True
            except OSError:
                return False
    return False


def _described(node: Mapping[str, Any]) -> dict[str, Any]:
    resources = node["Resources"]
    return {
        "id": node["NodeID"],
        "name": f"{node['NodeManagerAddress']}/{node['NodeID'][-6:]}",
        "cpus": resources.get("CPU", 0.0),
        "gpus": resources.get("GPU", 0.0),
        "memory": int(resources.get("memory", 0)),
        "object_store": int(resources.get("object_store_memory", 0)),
    }


def _is_starved(why: str) -> bool:
    return "running low on memory" in why or "OutOfMemory" in why


def _first(error: BaseException) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__


def _told(why: str) -> str:
    """What Ray says of an end, without its advice on Ray."""
    lines = [line.strip() for line in why.splitlines() if line.strip()]
    kept = [line for line in lines if "exit" in line or "died" in line or "dead" in line]
    if "creation task" in why:
        # What was raised is said last.
        kept.append(lines[-1])
    return " ".join(kept or lines[:1])[:600]


def main() -> None:
    """Carry out orders until the line ends."""
    channel = Channel.at(int(sys.argv[1]))
    sending = threading.Lock()

    def tell(*news: Any) -> None:
        with sending, suppress(OSError):
            channel.send(READY, pickle.dumps(news, protocol=pickle.HIGHEST_PROTOCOL))

    driver = Driver(tell)
    try:
        while True:
            _, body = channel.receive()
            # Only the process that started this one is at the other end.
            order, *arguments = pickle.loads(body)  # noqa: S301
            getattr(driver, order)(*arguments)
    except EOFError:
        pass
    driver.leave()


if __name__ == "__main__":
    main()
