"""Endpoints of this machine: replicas that go on serving when the program that deployed them ends."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from modelwright.data.errors import ModelwrightError
from modelwright.serve.control import NoReplica, tell
from modelwright.serve.endpoint_folder import EndpointFolder, Found, Wanted, names
from modelwright.serve.errors import DeploymentFailed
from modelwright.serve.keys import Keys
from modelwright.serve.limits import thread_bounds
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.status import EndpointStatus, State

START_S = 90.0
"""How long a replica may take until it is ready."""

STOP_S = 35.0
"""How long a replica may take to answer what it has begun before it is killed."""

_TICK = 0.02


class Endpoints:
    """The endpoints whose folders lie below one folder, as a rule `<home>/endpoints`.

    Any program may hold one of these; what it starts belongs to the folder, not to the program.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> tuple[str, ...]:
        """Every endpoint, by name."""
        return names(self.root)

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
        """Serve a package under a name, and wait until it answers.

        A name that is there already keeps its address and, where they are None, its settings; requests go
        on being answered, by the former package until the new one has scored its samples.
        keys: open the endpoint from now on.  port: 0 for any free one; it is kept from then on.
        Raises InvalidEndpointName, InvalidSetting, UnknownSetting, EndpointBusy, PortTaken,
        DeploymentFailed, and what is wrong with the package; then what served before serves on.
        """
        folder = EndpointFolder(self.root, name)
        with folder.changing():
            old = folder.wanted() if folder.exists else None
            wanted = Wanted(
                folder.take_in(package),
                old.host if old else host,
                old.port if old else port,
                deployment=_chosen(DeploymentSettings, deployment, old.deployment if old else {}),
                endpoint=_chosen(EndpointSettings, endpoint, old.endpoint if old else {}),
            )
            try:
                found = self._served(folder, wanted, keys)
            except ModelwrightError:
                if old is None:
                    folder.delete()
                else:
                    folder.want(old)
                    folder.forget_packages(but={old.package})
                raise
            folder.want(replace(wanted, host=found.host, port=found.port))
            folder.forget_packages(but={wanted.package})
        return self.status(name)

    def _served(self, folder: EndpointFolder, wanted: Wanted, keys: Keys) -> Found:
        """The process that serves what is wanted: the running one, told so, or a new one."""
        found = _alive(folder)
        if found is None:
            folder.want(wanted)
            keys.lock().write(folder.keys)
            return _start(folder, wanted)
        package = str(folder.path / wanted.package)
        tell(
            folder.control,
            {"do": "deploy", "package": package, "settings": dict(wanted.deployment)},
            seconds=START_S,
        )
        keys.lock().write(folder.keys)
        tell(folder.control, {"do": "change", "endpoint": dict(wanted.endpoint)})
        return found

    def status(self, name: str) -> EndpointStatus:
        """What it is now.  Raises UnknownEndpoint."""
        folder = EndpointFolder(self.root, name)
        wanted = folder.wanted()
        found = _alive(folder)
        known = EndpointStatus(
            name,
            State.STOPPED if not wanted.running else State.UNHEALTHY,
            host=wanted.host,
            port=wanted.port,
            deployment=wanted.deployment,
            endpoint=wanted.endpoint,
        )
        if found is None:
            message = (
                "Its process is gone; start it with: modelwright up." if wanted.running else ""
            )
            return replace(known, message=message)
        try:
            said = tell(folder.control, {"do": "status"})
        except NoReplica as error:
            return replace(known, state=State.UNHEALTHY, message=str(error), pid=found.pid)
        return replace(
            known,
            state=State.HEALTHY if said["package"] else State.TRANSITIONING,
            pid=found.pid,
            package=said["package"],
            answered=said["answered"],
            busy=said["busy"],
            queued=said["queued"],
            steps=tuple(said["steps"]),
        )

    def change(
        self,
        name: str,
        *,
        deployment: Mapping[str, Any] | None = None,
        endpoint: Mapping[str, Any] | None = None,
    ) -> EndpointStatus:
        """Change some settings, of a serving endpoint at once.

        Raises UnknownEndpoint, InvalidSetting, UnknownSetting and EndpointBusy.
        """
        folder = EndpointFolder(self.root, name)
        old = folder.wanted()
        with folder.changing():
            wanted = replace(
                old,
                deployment=_chosen(DeploymentSettings, deployment, old.deployment),
                endpoint=_chosen(EndpointSettings, endpoint, old.endpoint),
            )
            folder.want(wanted)
            if _alive(folder) is not None:
                both = {"settings": wanted.deployment, "endpoint": wanted.endpoint}
                tell(folder.control, {"do": "change", **both})
        return self.status(name)

    def set_keys(self, name: str, keys: Keys) -> None:
        """Have these keys open it from now on, and no others.  Raises UnknownEndpoint and EndpointBusy."""
        folder = EndpointFolder(self.root, name)
        wanted = folder.wanted()
        with folder.changing():
            keys.lock().write(folder.keys)
            if _alive(folder) is not None:
                tell(folder.control, {"do": "change", "endpoint": dict(wanted.endpoint)})

    def start(self, name: str) -> EndpointStatus:
        """Serve again what was stopped or has ended; nothing where it serves.

        Raises UnknownEndpoint, EndpointBusy, PortTaken and DeploymentFailed.
        """
        folder = EndpointFolder(self.root, name)
        wanted = replace(folder.wanted(), running=True)
        with folder.changing():
            folder.want(wanted)
            if _alive(folder) is None:
                _start(folder, wanted)
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
        return self.status(name)

    def remove(self, name: str) -> None:
        """Stop it and delete all that belongs to it.  Raises UnknownEndpoint and EndpointBusy."""
        folder = EndpointFolder(self.root, name)
        folder.wanted()
        with folder.changing():
            _stop(folder)
            folder.delete()

    def ensure_running(self) -> tuple[EndpointStatus, ...]:
        """Start every endpoint that should serve and does not, as after a restart of the machine.

        One that cannot be started has the state failed, with the reason as its message.
        """
        found = []
        for name in self.names():
            status = self.status(name)
            if status.state is State.UNHEALTHY:
                try:
                    status = self.start(name)
                except ModelwrightError as error:
                    status = replace(status, state=State.FAILED, message=str(error))
            found.append(status)
        return tuple(found)

    def logs(self, name: str) -> list[Path]:
        """The files of its log, oldest first.  Raises UnknownEndpoint."""
        folder = EndpointFolder(self.root, name)
        folder.wanted()
        return folder.logs()


def _chosen(
    kind: type[DeploymentSettings | EndpointSettings],
    given: Mapping[str, Any] | None,
    old: Mapping[str, Any],
) -> dict[str, Any]:
    return kind.read({**old, **(given or {})}).to_json()


def _alive(folder: EndpointFolder) -> Found | None:
    """The process that serves the endpoint, if it is still the one that was noted."""
    found = folder.found()
    return found if found is not None and _process(found) is not None else None


def _process(found: Found) -> psutil.Process | None:
    try:
        process = psutil.Process(found.pid)
        # The number may belong to another process by now, after a restart of the machine above all.
        if abs(process.create_time() - found.started) > 1.0:
            return None
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
        _bury(found.pid)
    except psutil.NoSuchProcess:
        pass
    return None


def _bury(pid: int, options: int = os.WNOHANG) -> None:
    """Take note that a process has ended, if it was started from here."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, options)


def _start(folder: EndpointFolder, wanted: Wanted) -> Found:
    """Start a replica of its own session and wait until it answers.

    Raises PortTaken, DeploymentFailed and what is wrong with the package.
    """
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    command = [
        *(sys.executable, "-m", "modelwright.serve.replica", str(folder.path / wanted.package)),
        *("--name", folder.name, "--host", wanted.host, "--port", str(wanted.port)),
        *("--keys-file", str(folder.keys), "--settings-file", str(folder.settings)),
        *("--control", str(folder.control), "--log-file", str(folder.log)),
        *("--report", str(writing)),
    ]
    cores = DeploymentSettings.read(wanted.deployment).cpu_reserve
    first_words = folder.path / "start.log"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    # Not `subprocess`: that would call a process that outlives this one a leak.
    pid = os.posix_spawn(
        sys.executable,
        command,
        thread_bounds(cores, os.environ),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(first_words), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    os.close(writing)
    said = _report(reading)
    if "port" in said:
        started = psutil.Process(pid).create_time()
        found = Found(pid, started, said["host"], said["port"])
        folder.note(found)
        return found
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _bury(pid, 0)
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
    """End the process when it has answered what it has begun, or at last by force."""
    found = folder.found()
    process = _process(found) if found is not None else None
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
        until = time.monotonic() + STOP_S
        while found is not None and _process(found) is not None:
            if time.monotonic() > until:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(_TICK)
    folder.note(None)
