"""Workers on a Ray cluster: started where there is room, ended when idle, handing values on in memory."""

from __future__ import annotations

import itertools
import os
import pickle
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from modelwright.targets.channel import Channel
from modelwright.targets.contract import (
    Delayed,
    Delivery,
    Ended,
    Free,
    Gone,
    Message,
    Needs,
    NotStarted,
    Session,
    TargetError,
    WorkerId,
)
from modelwright.targets.ray_room import Worker, fits, has_room, in_the_way, waste

_CONNECT_S = 120.0
_PROBE_S = 240.0
_KEEP_EVERY_S = 0.5
_FILL_EVERY_S = 1.0
_BYE_S = 5.0


class Reading(NamedTuple):
    """What a target must know of a message: values it speaks of, and values nobody will ask for again."""

    wants: Sequence[str] = ()
    drops: Sequence[str] = ()


class RayCluster:
    """Runs a program as actors on a Ray cluster.

    program: "module:name" of what makes it there, see `ray_worker.Program`; options: given to it.
    address: of the cluster, HOST:PORT; empty for one on this machine that is started and stopped.
    least, most: workers that are kept, and that there may be; as many as the cluster has CPUs.
    idle_s: an idle one above `least` is ended after so many seconds, and then what was started for
    them.  environment: variables of the workers.  read: what a message wants and drops.
    Joins the cluster with the first session; leaves it again when idle.
    """

    def __init__(
        self,
        program: str,
        *,
        name: str = "ray",
        address: str = "",
        least: int = 0,
        most: int | None = None,
        idle_s: float = 120.0,
        options: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        read: Callable[[bytes], Reading] = lambda body: Reading(),
    ) -> None:
        self._program = program
        self._name = name
        self._address = address
        self._least = least
        self._most = most
        self._idle_s = idle_s
        self._options = dict(options or {})
        self._environment = dict(environment or {})
        self._read = read
        self._lock = threading.RLock()
        self._joining = threading.Lock()
        self._workers: dict[int, Worker] = {}
        self._sessions: dict[int, Callable[[Delivery], None]] = {}
        self._numbers = itertools.count(1)
        self._nodes: tuple[Mapping[str, Any], ...] = ()
        self._probes: dict[int, queue.SimpleQueue[Mapping[str, tuple[bool, Any]] | None]] = {}
        self._line: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._staying = 0
        self._quiet_since = time.monotonic()
        self._filled_at = 0.0
        self._closed = threading.Event()
        self.version = ""
        threading.Thread(target=self._keep, name=f"{name} keeper", daemon=True).start()

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    @property
    def most(self) -> int:
        """How many workers there may be; 1 while the cluster's size is not known."""
        if self._most is not None:
            return self._most
        return max(1, int(sum(n["cpus"] for n in self.nodes)))

    @property
    def nodes(self) -> tuple[Mapping[str, Any], ...]:
        """The cluster's nodes: id, name, cpus, gpus, memory and object_store in bytes; none before it is joined."""
        with self._lock:
            return self._nodes

    @property
    def pids(self) -> tuple[str, ...]:
        """The workers that are there, oldest first, each with its node."""
        with self._lock:
            return tuple(f"{w.id}@{w.node}" for w in self._workers.values() if w.up)

    @property
    def ordered(self) -> int:
        """How many workers are asked for and not up yet."""
        with self._lock:
            return sum(not w.up for w in self._workers.values())

    def busy_nodes(self) -> frozenset[str]:
        """The names of the nodes whose workers are taken now."""
        with self._lock:
            return frozenset(w.node for w in self._workers.values() if w.taken_by is not None)

    @property
    def grows(self) -> bool:
        """Whether nodes may come that are not there yet."""
        return self._most is not None and self._most > float(sum(n["cpus"] for n in self.nodes))

    def session(self, deliver: Callable[[Delivery], None]) -> Session:
        """Join the cluster if that is not done yet.  Raises TargetError."""
        with self.staying(), self._lock:
            number = next(self._numbers)
            self._sessions[number] = deliver
        return RaySession(self, number)

    @contextmanager
    def staying(self) -> Iterator[None]:
        """Join the cluster if that is not done yet, and do not leave it meanwhile.  Raises TargetError."""
        with self._lock:
            self._staying += 1
        try:
            self.join()
            yield
        finally:
            with self._lock:
                self._staying -= 1
                self._quiet_since = time.monotonic()

    def join(self) -> None:
        """Join the cluster, unless it is joined.  Raises TargetError."""
        with self._joining:
            with self._lock:
                if self._line is not None:
                    return
                if self._closed.is_set():
                    raise TargetError("the target is closed")
            self._join()

    def _join(self) -> None:
        here, there = Channel.pair()
        paths = [p or str(Path.cwd()) for p in sys.path]
        command = [
            sys.executable,
            "-P",
            "-m",
            "modelwright.targets.ray_driver",
            str(there.fileno()),
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        }
        if not self._address and environment.setdefault("RAY_AUTH_MODE", "token") == "token":
            # Ray would leave a token in the user's folder, for every cluster of this user after it.
            environment.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        with there:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                pass_fds=(there.fileno(),),
                start_new_session=True,
            )
        told: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        listener = threading.Thread(target=self._listen, args=(here, process, told), daemon=True)
        listener.start()
        options = {
            "address": self._address,
            "most": self._most,
            "least": self._least,
            "namespace": f"modelwright-{secrets.token_hex(4)}",
        }
        _order(here, "connect", options)
        try:
            kind, *rest = told.get(timeout=_CONNECT_S)
        except queue.Empty:
            kind, rest = "failed", ["unreachable", f"it did not answer in {_CONNECT_S:g} seconds"]
        if kind == "failed":
            here.hang_up()
            raise TargetError(rest[1], kind=rest[0])
        with self._lock:
            self.version = rest[0]
            self._line, self._process = here, process
            self._quiet_since = time.monotonic()
        self._before_workers()
        for _ in range(self._least):
            self.start(Needs())

    def _before_workers(self) -> None:
        """Do what depends on the cluster's nodes, before the first worker is started."""

    def probe(self, function: str, *arguments: Any) -> Mapping[str, tuple[bool, Any]]:
        """Call "module:name" on every node: by node, whether it gave something, and that or why not.

        Raises TargetError when the nodes do not answer.
        """
        asked = next(self._numbers)
        answer: queue.SimpleQueue[Mapping[str, tuple[bool, Any]] | None] = queue.SimpleQueue()
        with self.staying():
            with self._lock:
                self._probes[asked] = answer
                # Whoever hears the end of the line finds the question, or there is no line any more.
                if self._line is None:
                    answer.put(None)
            self.order("probe", asked, function, arguments, self._runtime)
            try:
                found = answer.get(timeout=_PROBE_S)
            except queue.Empty:
                raise TargetError("its nodes do not answer", kind="unreachable") from None
            finally:
                with self._lock:
                    del self._probes[asked]
        if found is None:
            raise TargetError("the connection to it was lost", kind="unreachable")
        return found

    def start(self, needs: Needs, *, ordered_by: int = 0) -> bool:
        """Order one more worker that has what is needed; False when there may be no more."""
        with self._lock:
            if self._line is None:
                return False
            kept = sum(w.wanted for w in self._workers.values())
            made_room = self._make_room(needs)
            if kept >= self.most and not made_room and not self._end_one(needs):
                return False
            number = next(self._numbers)
            worker = Worker(WorkerId(f"{self._name}-{number}"), number, needs, ordered_by)
            self._workers[number] = worker
        shape = {
            "cpus": needs.cpus,
            "gpus": needs.gpus,
            "memory": needs.memory,
            "environment": self._runtime,
            "text": f"waits for {needs}",
        }
        self.order("start", number, shape, self._program, self._options)
        return True

    @property
    def _runtime(self) -> dict[str, Any]:
        return {"env_vars": self._environment}

    def _make_room(self, needs: Needs) -> bool:
        """End idle workers that have not what is needed where another one may then come; whether any was."""
        workers = self._workers.values()
        if has_room(self._nodes, workers, needs):
            return False
        ended = in_the_way(self._nodes, workers, self._unfit(needs), needs)
        for worker in ended:
            self._end(worker)
        return bool(ended)

    def _end_one(self, needs: Needs) -> bool:
        """End an idle worker that has not what is needed, as there may be no more of them."""
        unfit = self._unfit(needs)
        if unfit:
            self._end(unfit[0])
        return bool(unfit)

    def _unfit(self, needs: Needs) -> list[Worker]:
        """Workers with nothing to do that have not what is needed, longest idle first."""
        now, sessions = time.monotonic(), self._sessions
        spare = [w for w in self._workers.values() if w.is_spare(sessions, now)]
        return sorted((w for w in spare if not fits(w.needs, needs)), key=lambda w: w.idle_since)

    def _end(self, worker: Worker) -> None:
        worker.wanted, worker.up = False, False
        self.order("kill", worker.number)

    def order(self, *order: Any) -> None:
        """Give the driver an order; a driver that is gone takes it in silence."""
        with self._lock:
            line = self._line
        if line is not None:
            _order(line, *order)

    def _listen(
        self,
        line: Channel,
        process: subprocess.Popen[bytes],
        told: queue.SimpleQueue[tuple[Any, ...]],
    ) -> None:
        try:
            while True:
                _, body = line.receive()
                # The other end is a process that this one started.
                kind, *rest = pickle.loads(body)  # noqa: S301
                if kind in ("connected", "failed"):
                    told.put((kind, *rest))
                else:
                    self._hear(kind, rest)
        except EOFError:
            told.put(("failed", "unreachable", "the connection broke off"))
        line.hang_up()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_BYE_S)
        if process.poll() is None:
            process.kill()
            process.wait()
        line.close()
        with self._lock:
            if self._line is not line:
                return
            self._line, self._process, self._nodes = None, None, ()
            left = list(self._workers)
            asked = list(self._probes.values())
        for answer in asked:
            answer.put(None)
        for number in left:
            self._gone(number, Ended(None, "the connection to the cluster was lost", lost=True))

    def _hear(self, kind: str, rest: Sequence[Any]) -> None:
        if kind == "message":
            number, session, body = rest
            with self._lock:
                deliver = self._sessions.get(session)
                worker = self._workers.get(number)
            if deliver and worker:
                deliver(Message(worker.id, body))
        elif kind == "up":
            self._is_up(*rest)
        elif kind == "gone":
            number, why, lost, starved, full = rest
            self._gone(number, Ended(None, why, lost=lost, starved=starved, full=full))
        elif kind == "delayed":
            self._is_late(*rest)
        elif kind == "nodes":
            with self._lock:
                self._nodes = tuple(rest[0])
        elif kind == "probed" and (answer := self._probes.get(rest[0])):
            answer.put(rest[1])

    def _is_up(self, number: int, node: str, pid: int) -> None:
        with self._lock:
            worker = self._workers[number]
            worker.up, worker.node, worker.idle_since = worker.wanted, node, time.monotonic()
        self._tell_all(Free(worker.needs))

    def _is_late(self, number: int, why: str) -> None:
        with self._lock:
            if (worker := self._workers.get(number)) is None:
                return
            worker.late = True
        self._tell_all(Delayed(why, worker.needs))

    def _gone(self, number: int, how: Ended) -> None:
        with self._lock:
            worker = self._workers.pop(number, None)
        if worker is not None:
            was_up = bool(worker.node) or not worker.wanted
            self._tell_all(Gone(worker.id, how) if was_up else NotStarted(how, worker.needs))

    def _tell_all(self, delivery: Delivery) -> None:
        with self._lock:
            listeners = list(self._sessions.values())
        for deliver in listeners:
            deliver(delivery)

    def _keep(self) -> None:
        """End what has been idle for long, and leave a cluster that nobody wants."""
        while not self._closed.wait(_KEEP_EVERY_S):
            with self._lock:
                if self._line is None:
                    continue
                now = time.monotonic()
                waiting = [w for w in self._workers.values() if w.wanted and not w.up]
                # What was busy when another one was ordered may be in its way by now.
                for worker in waiting:
                    self._make_room(worker.needs)
                spare = [
                    w
                    for w in self._workers.values()
                    if w.is_spare(self._sessions, now, idle_s=self._idle_s)
                ]
                kept = sum(w.wanted for w in self._workers.values())
                lacking = kept < self._least and not waiting
                if lacking and now >= self._filled_at + _FILL_EVERY_S:
                    # One of those that are kept has died, or did not come up on a new machine.
                    self._filled_at = now
                    self.start(Needs())
                for worker in sorted(spare, key=lambda w: w.idle_since)[
                    : max(0, kept - self._least)
                ]:
                    self._end(worker)
                if self._least or self._workers or self._sessions or self._staying:
                    self._quiet_since = now
                if now - self._quiet_since < self._idle_s:
                    continue
                left = self._part()
            _end_driver(*left)

    def _part(self) -> tuple[Channel | None, subprocess.Popen[bytes] | None]:
        """Have no cluster any more; the line to it and the process at its end, which are to be ended."""
        with self._lock:
            line, self._line = self._line, None
            process, self._process = self._process, None
            self._nodes = ()
            self._workers.clear()
            asked = list(self._probes.values())
        for answer in asked:
            answer.put(None)
        return line, process

    def close(self) -> None:
        """End the workers, leave the cluster, and stop it if it was started here."""
        self._closed.set()
        with self._lock:
            left = list(self._workers)
        for number in left:
            self._gone(number, Ended(None, "the target was closed"))
        _end_driver(*self._part())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RaySession:
    """A session on a Ray cluster.  needs: of the workers that it takes and asks for."""

    def __init__(self, cluster: RayCluster, number: int, needs: Needs | None = None) -> None:
        self._cluster = cluster
        self._number = number
        self._needs = needs or Needs()

    def shaped(self, needs: Needs) -> Session:
        """The same session, for workers that have what is needed."""
        return RaySession(self._cluster, self._number, needs)

    @property
    def hands_on(self) -> bool:
        """Yes: by Ray's object store."""
        return True

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        """A free worker that has what is needed: the first of `wanted`, or the one that fits best."""
        cluster = self._cluster
        with cluster._lock:
            free = [
                w
                for w in cluster._workers.values()
                if w.up and w.taken_by is None and fits(w.needs, self._needs)
            ]
            if wanted is None:
                found = min(free, key=waste(self._needs), default=None)
            else:
                by_id = {w.id: w for w in free}
                found = next((by_id[w] for w in wanted if w in by_id), None)
            if found is None:
                return None
            found.taken_by = self._number
            found.seen_by.add(self._number)
            return found.id

    def grow(self) -> bool:
        """Order one more worker that has what is needed."""
        return self._cluster.start(self._needs, ordered_by=self._number)

    def send(self, worker: WorkerId, body: bytes) -> None:
        """Give a worker a message, and with it what it speaks of."""
        read = self._cluster._read(body)
        if found := self._find(worker):
            self._cluster.order("send", found.number, self._number, body, tuple(read.wants))
        if read.drops:
            self._cluster.order("drop", self._number, frozenset(read.drops))

    def free(self, worker: WorkerId) -> None:
        """Give a worker back."""
        with self._cluster._lock:
            found = self._find(worker)
            if found is None or found.taken_by != self._number:
                return
            found.taken_by, found.idle_since = None, time.monotonic()
            others = [d for n, d in self._cluster._sessions.items() if n != self._number]
        for deliver in others:
            deliver(Free())

    def settle(self, worker: WorkerId) -> None:
        """A worker holds nothing any more that is not stored: it may be ended when it is idle."""
        with self._cluster._lock:
            if found := self._find(worker):
                found.seen_by.discard(self._number)

    def kill(self, worker: WorkerId) -> None:
        """End a worker at once."""
        with self._cluster._lock:
            found = self._find(worker)
            if found and found.taken_by == self._number:
                self._cluster.order("kill", found.number)

    def close(self) -> None:
        """End the session; workers still taken are killed."""
        cluster = self._cluster
        with cluster._lock:
            if cluster._sessions.pop(self._number, None) is None:
                return
            for worker in list(cluster._workers.values()):
                worker.seen_by.discard(self._number)
                # One that may never come would have Ray's autoscaler start machines for nobody.
                in_vain = worker.late and worker.wanted and not worker.up
                if worker.taken_by == self._number or (
                    in_vain and worker.ordered_by == self._number
                ):
                    cluster._end(worker)
        cluster.order("drop", self._number, None)

    def _find(self, worker: WorkerId) -> Worker | None:
        with self._cluster._lock:
            return next((w for w in self._cluster._workers.values() if w.id == worker), None)


def _end_driver(line: Channel | None, process: subprocess.Popen[bytes] | None) -> None:
    """End a driver: it leaves its cluster when the line ends."""
    if line is not None:
        line.hang_up()
    if process is not None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_BYE_S)
        if process.poll() is None:
            process.kill()


def _order(line: Channel, *order: Any) -> None:
    with suppress(OSError):
        line.send(1, pickle.dumps(order, protocol=pickle.HIGHEST_PROTOCOL))
