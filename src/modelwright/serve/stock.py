"""A deployment as a controller holds it, ready to be multiplied by forking."""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.inference.package import Package
from modelwright.inference.scorer import Scorer
from modelwright.serve import frames
from modelwright.serve.control import connected, private_socket
from modelwright.serve.errors import DeploymentFailed
from modelwright.serve.lanes import FormulaLane
from modelwright.serve.limits import thread_bounds
from modelwright.serve.live import Live
from modelwright.serve.processes import Process, start_apart
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.stages import note_stage
from modelwright.serve.workers import START_S, WorkerLane, nursery_command


@dataclass(frozen=True, slots=True)
class NurseryPlace:
    """The process that makes scoring processes, and the socket to ask it on."""

    process: Process
    path: Path

    def end(self) -> None:
        """End it; the processes it has made go on."""
        self.process.send(signal.SIGKILL)
        self.process.bury(wait=True)
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Stock:
    """A package that has proved that it answers.

    scorer: loaded, for a package of formulas.  nursery: for any other.
    """

    name: str
    package: Package
    scorer: Scorer | None
    nursery: NurseryPlace | None

    @property
    def is_compiled(self) -> bool:
        """Whether replicas score by themselves, without processes to help."""
        return self.scorer is not None

    @classmethod
    def load(cls, name: str, path: Path, folder: Path, settings: DeploymentSettings) -> Stock:
        """Try a package on its sample rows, away from this process, and load it.

        folder: for the nursery's socket.  Raises NotAPackage, NewerPackage, CorruptPackage,
        DeploymentFailed, and what a step says to the sample rows.
        """
        package = Package.open(path)
        note_stage(folder, "score")
        if not package.plan.is_compiled:
            return cls(name, package, None, _nursery(name, path, folder, settings))
        _try_apart(name, package)
        return cls(name, package, package.scorer(), None)

    async def live(self, settings: DeploymentSettings) -> Live:
        """The deployment in a replica that was forked with this.  Raises DeploymentFailed."""
        if self.scorer is not None:
            lane = FormulaLane(self.scorer, settings)
            return Live(self.name, self.package, lane, settings)
        if self.nursery is None:
            raise DeploymentFailed(self.name, "nothing makes its scoring processes.")
        workers = max(1, settings.min_replicas) * settings.max_concurrent_requests
        made = await WorkerLane.start(self.name, self.nursery.path, settings, workers=workers)
        return Live(self.name, self.package, made, settings)

    def end(self) -> None:
        """Give back what it holds; replicas that were made go on."""
        if self.nursery is not None:
            self.nursery.end()


def _try_apart(name: str, package: Package) -> None:
    """Score the samples in a process of its own: what crashes or hangs there harms nobody."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = _told(writing, package)
        temporary.clear()
        os._exit(status)
    os.close(writing)
    child = Process.of(pid)
    with os.fdopen(reading, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], START_S)
        said = pipe.read() if ready else b""
    child.send(signal.SIGKILL)
    child.bury(wait=True)
    if not said:
        raise DeploymentFailed(name, "scoring its sample rows hung or crashed.")
    answer: Mapping[str, Any] = json.loads(said)
    if answer:
        raise ModelwrightError.from_json(answer)


def _told(descriptor: int, package: Package) -> int:
    answer: Mapping[str, Any] = {}
    try:
        scorer = package.scorer()
        if all(i.samples for i in scorer.inputs):
            scorer.try_samples()
    except ModelwrightError as error:
        answer = error.to_json()
    except Exception as error:  # noqa: BLE001  # the rim of a process: the controller tells its user
        why = f"{type(error).__name__}: {error}."
        answer = DeploymentFailed(package.name, why).to_json()
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(json.dumps(answer, default=str).encode())
    return 0


def _nursery(name: str, path: Path, folder: Path, settings: DeploymentSettings) -> NurseryPlace:
    """Start a nursery and have it make one process, to see that it can score."""
    place = folder / f"nursery-{secrets.token_hex(4)}.sock"
    with private_socket(place) as listener:
        listener.listen()
        command = nursery_command(path, listener.fileno(), place, settings)
        environment = thread_bounds(settings.cpu_reserve, os.environ)
        pid = start_apart(command, environment, hands_over=[listener.fileno()])
    nursery = NurseryPlace(Process.of(pid), place)
    try:
        with connected(place) as channel:
            channel.settimeout(START_S)
            answer = frames.receive(channel)
    except TimeoutError:
        nursery.end()
        raise DeploymentFailed(name, f"it was not ready after {START_S:g} s.") from None
    except OSError as error:
        nursery.end()
        raise DeploymentFailed(name, f"its scoring process ended: {error.strerror}.") from None
    if answer is None or answer[0] != frames.READY:
        nursery.end()
        why = "its scoring process ended before it was ready."
        raise DeploymentFailed(name, json.loads(answer[1])["message"] if answer else why)
    return nursery
