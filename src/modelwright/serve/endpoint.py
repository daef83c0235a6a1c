"""Endpoints of this machine, which go on serving when the program that deployed them ends."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.serve.capacity import Resources, Unschedulable
from modelwright.serve.control import NoReplica, tell
from modelwright.serve.endpoint_folder import EndpointFolder, Found, Served, Wanted, names
from modelwright.serve.errors import DeploymentFailed
from modelwright.serve.keys import Keys
from modelwright.serve.limits import thread_bounds
from modelwright.serve.processes import Process, start_apart
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.status import EndpointStatus, State
from modelwright.serve.target import Offer, Place

START_S = 120.0
"""How long an endpoint may take until it is ready."""

STOP_S = 35.0
"""How long replicas may take to answer what they have begun before they are killed."""

HEIR_S = 10.0
"""How long to wait for the controller that follows on one that has died."""

_TICK = 0.02


class Endpoints:
    """The endpoints whose folders lie below one folder, as a rule `<home>/endpoints`.

    Any program may hold one of these; what it starts belongs to the folder, not to the program.
    cluster: the inference cluster on which those are that are new.
    """

    def __init__(self, root: Path, *, cluster: str = "default") -> None:
        self.root = root
        self.cluster = cluster

    def check(self) -> str:
        """Why nothing can be started here; there is no reason on this machine."""
        return ""

    def capacity(self) -> Resources:
        """All that the machine has."""
        return Resources.of_machine()

    def names(self) -> tuple[str, ...]:
        """Every endpoint, by name."""
        return names(self.root)

    def apply(
        self,
        name: str,
        offers: Mapping[int, Offer],
        *,
        keys: Keys,
        endpoint: Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> EndpointStatus:
        """Serve these deployments and no others, and wait until they answer.

        A name that is there already keeps its address and, for None, its settings; requests go on
        being answered, by the former deployments until the new ones have scored their samples.
        keys: open the endpoint from now on.  port: 0 for any free one; it is kept from then on.
        Raises InvalidEndpointName, InvalidSetting, UnknownSetting, EndpointBusy, AddressTaken,
        Unschedulable, DeploymentFailed, and what is wrong with a package; then what served before
        serves on.
        """
        folder = EndpointFolder(self.root, name)
        with folder.changing():
            old = folder.wanted() if folder.exists else None
            try:
                wanted = Wanted(
                    {n: _served(folder, offer) for n, offer in offers.items()},
                    old.host if old else host,
                    old.port if old else port,
                    endpoint=_chosen(EndpointSettings, endpoint, old.endpoint if old else {}),
                    cluster=old.cluster if old else self.cluster,
                )
                found = self._serve(folder, wanted, keys)
            except ModelwrightError:
                if old is None:
                    folder.delete()
                else:
                    folder.want(old)
                    folder.forget_packages(but=old.packages)
                raise
            folder.want(replace(wanted, host=found.host, port=found.port))
            folder.forget_trouble()
            folder.forget_packages(but=wanted.packages)
        return self.status(name)

    def deploy(
        self,
        name: str,
        package: Path,
        *,
        keys: Keys,
        deployment: Mapping[str, Any] | None = None,
        endpoint: Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> EndpointStatus:
        """Serve one package in place of all that were served before; as `apply` otherwise.

        deployment: its settings; those of the deployment that led before stay where none are given.
        """
        folder = EndpointFolder(self.root, name)
        old = folder.wanted() if folder.exists else None
        settings = _chosen(DeploymentSettings, deployment, old.leading.settings if old else {})
        number = max(old.deployments) + 1 if old else 1
        offers = {number: Offer(package, settings)}
        return self.apply(name, offers, keys=keys, endpoint=endpoint, host=host, port=port)

    def _serve(self, folder: EndpointFolder, wanted: Wanted, keys: Keys) -> Found:
        """The processes that serve what is wanted: the running ones, told so, or new ones."""
        found = _alive(folder)
        if found is None:
            folder.want(wanted)
            keys.lock().write(folder.keys)
            return _start(folder, wanted)
        keys.lock().write(folder.keys)
        tell(folder.control, {"do": "apply", **_asked(wanted)}, seconds=START_S)
        return found

    def status(self, name: str) -> EndpointStatus:
        """What it is now.  Raises UnknownEndpoint."""
        folder = EndpointFolder(self.root, name)
        wanted = folder.wanted()
        found = _alive(folder)
        known = EndpointStatus(
            name,
            State.UNHEALTHY if wanted.running else State.STOPPED,
            host=wanted.host,
            port=wanted.port,
            deployment=wanted.leading.settings,
            endpoint=wanted.endpoint,
            deployments=_deployments(wanted),
        )
        if found is None:
            if not wanted.running:
                return known
            if folder.is_changing:
                return replace(known, state=State.TRANSITIONING)
            if folder.trouble is not None:
                state, message = folder.trouble
                return replace(known, state=State(state), message=message)
            message = "Its process is gone; start it with: modelwright up."
            return replace(known, message=message)
        try:
            said = tell(folder.control, {"do": "status"})
        except NoReplica as error:
            # Its controller loads something, or has just begun; replicas answer without it.
            alive = tuple(p.pid for p in found.fronts.values() if p.is_alive)
            state = State.HEALTHY if alive else State.UNHEALTHY
            return replace(
                known, state=state, message=str(error), pid=found.controller.pid, replicas=alive
            )
        return replace(
            known,
            state=_state(said, may_sleep=_may_sleep(wanted)),
            message=said["message"],
            pid=found.controller.pid,
            replicas=tuple(said["replicas"]),
            package=said["package"],
            answered=said["answered"],
            busy=said["busy"],
            queued=said["queued"],
            steps=tuple(said["steps"]),
            deployments=tuple(said["deployments"]),
            recent=said["recent"],
            memory=said.get("memory", {}),
        )

    def change(
        self,
        name: str,
        *,
        deployment: Mapping[str, Any] | None = None,
        endpoint: Mapping[str, Any] | None = None,
        number: int | None = None,
    ) -> EndpointStatus:
        """Change some settings, of a serving endpoint at once.

        number: of the deployment; all of them for None.  Raises UnknownEndpoint, InvalidSetting, UnknownSetting and EndpointBusy.
        """
        folder = EndpointFolder(self.root, name)
        old = folder.wanted()
        with folder.changing():
            wanted = replace(
                old,
                deployments={
                    n: replace(one, settings=_chosen(DeploymentSettings, deployment, one.settings))
                    if number in (None, n)
                    else one
                    for n, one in old.deployments.items()
                },
                endpoint=_chosen(EndpointSettings, endpoint, old.endpoint),
            )
            if _alive(folder) is not None:
                tell(folder.control, {"do": "apply", **_asked(wanted)}, seconds=START_S)
            folder.want(wanted)
        return self.status(name)

    def set_keys(self, name: str, keys: Keys) -> None:
        """Have these keys open it from now on, and no others.  Raises UnknownEndpoint and EndpointBusy."""
        folder = EndpointFolder(self.root, name)
        wanted = folder.wanted()
        with folder.changing():
            keys.lock().write(folder.keys)
            if _alive(folder) is not None:
                change = {"do": "change", "endpoint": dict(wanted.endpoint)}
                tell(folder.control, change, seconds=START_S)

    def start(self, name: str) -> EndpointStatus:
        """Serve again what was stopped or has ended; nothing where it serves.

        Raises UnknownEndpoint, EndpointBusy, AddressTaken and DeploymentFailed.
        """
        folder = EndpointFolder(self.root, name)
        wanted = replace(folder.wanted(), running=True)
        with folder.changing():
            folder.want(wanted)
            if _alive(folder) is None:
                try:
                    _start(folder, wanted)
                except ModelwrightError as error:
                    no_room = isinstance(error, Unschedulable)
                    state = State.UNSCHEDULABLE if no_room else State.FAILED
                    folder.note_trouble(state, str(error))
                    raise
            folder.forget_trouble()
        return self.status(name)

    def stop(self, name: str) -> EndpointStatus:
        """Stop serving, when the requests in work are answered; `start` begins again.

        Raises UnknownEndpoint and EndpointBusy.
        """
        folder = EndpointFolder(self.root, name)
        wanted = folder.wanted()
        with folder.changing():
            folder.want(replace(wanted, running=False))
            _stop(folder)
            folder.forget_trouble()
        return self.status(name)

    def remove(self, name: str) -> None:
        """Stop it and delete all that belongs to it.  Raises UnknownEndpoint and EndpointBusy."""
        folder = EndpointFolder(self.root, name)
        wanted = folder.wanted()
        with folder.changing():
            # Else a replica that loses its controller meanwhile would start another.
            folder.want(replace(wanted, running=False))
            _stop(folder)
            folder.delete()

    def ensure_running(self) -> tuple[EndpointStatus, ...]:
        """Start every endpoint that should serve and does not, as after a restart of the machine.

        One that cannot be started is unschedulable or failed, with the reason as its message.
        """
        found = []
        for name in self.names():
            status = self.status(name)
            if status.state in (State.UNHEALTHY, State.UNSCHEDULABLE, State.FAILED):
                with contextlib.suppress(ModelwrightError):
                    self.start(name)
                status = self.status(name)
            found.append(status)
        return tuple(found)

    def tend(self) -> None:
        """Nothing: every endpoint has a controller that does."""

    def bring_collected(self, name: str) -> None:
        """Nothing: they are written where they belong.  Raises UnknownEndpoint."""
        EndpointFolder(self.root, name).wanted()

    def measurements(self, name: str, since: float = 0.0) -> list[dict[str, Any]]:
        """What was counted in each second after a moment, see `Sample`; nothing where nothing runs.

        Raises UnknownEndpoint.
        """
        folder = EndpointFolder(self.root, name)
        folder.wanted()
        try:
            said = tell(folder.control, {"do": "measurements", "since": since})
        except NoReplica:
            return []
        samples: list[dict[str, Any]] = said["samples"]
        return samples

    def logs(self, name: str) -> list[Path]:
        """The files of its log, oldest first.  Raises UnknownEndpoint."""
        folder = EndpointFolder(self.root, name)
        folder.wanted()
        return folder.logs()


def local_target(place: Place) -> Endpoints:
    """The target of a cluster that is processes of this machine."""
    return Endpoints(place.endpoints, cluster=place.name)


def _served(folder: EndpointFolder, offer: Offer) -> Served:
    return Served(
        folder.take_in(offer.package),
        DeploymentSettings.read(offer.settings).to_json(),
        offer.share,
        offer.shadow,
    )


def _asked(wanted: Wanted) -> dict[str, Any]:
    whole = wanted.to_json()
    return {"deployments": whole["deployments"], "endpoint": whole["endpoint"]}


def _deployments(wanted: Wanted) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"number": n, "share": d.share, "shadow": d.shadow, "settings": dict(d.settings)}
        for n, d in sorted(wanted.deployments.items())
    )


def _state(said: Mapping[str, Any], *, may_sleep: bool) -> State:
    """How an endpoint does, by what its controller says."""
    if said["falling"]:
        return State.UNHEALTHY
    return State.HEALTHY if said["replicas"] or may_sleep else State.TRANSITIONING


def _may_sleep(wanted: Wanted) -> bool:
    """With no replica wanted there may be none: a request wakes one."""
    return all(
        DeploymentSettings.read(d.settings).min_replicas == 0 for d in wanted.deployments.values()
    )


def _chosen(
    kind: type[DeploymentSettings | EndpointSettings],
    given: Mapping[str, Any] | None,
    old: Mapping[str, Any],
) -> dict[str, Any]:
    return kind.read({**old, **(given or {})}).to_json()


def _alive(folder: EndpointFolder) -> Found | None:
    """The processes that serve the endpoint, if their controller is alive.

    One that has died unasked is followed by another within moments, which is waited for.
    """
    until = time.monotonic() + HEIR_S
    while True:
        found = folder.found()
        if found is None or found.controller.is_alive:
            return found
        if not any(p.is_alive for p in found.fronts.values()) or time.monotonic() > until:
            return None
        time.sleep(_TICK)


def _start(folder: EndpointFolder, wanted: Wanted) -> Found:
    """Start a controller in a session of its own and wait until its first replica answers.

    Raises AddressTaken, DeploymentFailed and what is wrong with the package.
    """
    _end_by_force(folder)
    reading, writing = os.pipe()
    first_words = folder.path / "start.log"
    cores = sum(
        DeploymentSettings.read(d.settings).cpu_reserve for d in wanted.deployments.values()
    )
    pid = start_apart(
        [*folder.controller_command(), "--report", str(writing)],
        thread_bounds(cores, os.environ),
        output=str(first_words),
        hands_over=[writing],
    )
    os.close(writing)
    said = _report(reading)
    if "port" in said:
        # The replica may be quicker to answer than its controller to note it.
        until = time.monotonic() + HEIR_S
        while (found := folder.found()) is None or not found.fronts:
            if time.monotonic() > until:
                break
            time.sleep(_TICK)
        else:
            return found
    _end_by_force(folder, Process(pid, time.time()))
    if "error" in said:
        raise ModelwrightError.from_json(said["error"])
    raise DeploymentFailed(folder.name, _last_words(first_words), log=str(folder.log))


def _report(descriptor: int) -> dict[str, Any]:
    """The line that a starting replica writes; empty when it ends or the time does before."""
    with os.fdopen(descriptor, encoding="utf-8") as pipe:
        ready, _, _ = select.select([pipe], [], [], START_S)
        line = pipe.readline() if ready else ""
    said: dict[str, Any] = json.loads(line) if line else {}
    return said


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it said nothing for {START_S:g} s."


def _stop(folder: EndpointFolder) -> None:
    """End the processes when they have answered what they have begun, or at last by force."""
    known: set[Process] = set()
    until = time.monotonic() + STOP_S
    while True:
        found = folder.found()
        if found is not None:
            if found.controller not in known:
                found.controller.send(signal.SIGTERM)
            known.update(found.processes)
        if time.monotonic() > until or not any(p.is_alive for p in known):
            break
        time.sleep(_TICK)
    _end_by_force(folder)


def _end_by_force(folder: EndpointFolder, *more: Process) -> None:
    """Kill what is left of an endpoint's processes."""
    found = folder.found()
    left = [*more, *(found.processes if found else ())]
    for process in left:
        process.send(signal.SIGKILL)
    for process in left:
        process.bury()
    folder.note(None)
