"""What an inference cluster has, and what its endpoints have reserved of it.

Each endpoint has a controller of its own, so what is reserved stands in a file that they share.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.serve.settings import DeploymentSettings

_HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Resources:
    """Processor cores and gigabytes of memory."""

    cpu_cores: float = 0.0
    memory_gb: float = 0.0

    @classmethod
    def of_machine(cls) -> Resources:
        """All that this process may use of the machine."""
        import psutil

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return cls(float(cores or 1), psutil.virtual_memory().total / 1e9)

    @classmethod
    def reserved_by(cls, settings: DeploymentSettings) -> Resources:
        """What a replica of a deployment reserves."""
        return cls(settings.cpu_reserve, settings.memory_reserve_gb)

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.cpu_cores + other.cpu_cores, self.memory_gb + other.memory_gb)

    def __sub__(self, other: Resources) -> Resources:
        return Resources(self.cpu_cores - other.cpu_cores, self.memory_gb - other.memory_gb)

    def __mul__(self, times: int) -> Resources:
        return Resources(self.cpu_cores * times, self.memory_gb * times)

    def times(self, each: Resources) -> int:
        """How many times `each` fits into it, never less than 0."""
        fits = [
            math.floor(have / need + _HAIR)
            for have, need in (
                (self.cpu_cores, each.cpu_cores),
                (self.memory_gb, each.memory_gb),
            )
            if need > 0
        ]
        return max(0, min(fits, default=0))

    def short(self, needed: Resources) -> tuple[Shortage, ...]:
        """What is lacking for that to fit."""
        both = (
            ("cpu_cores", self.cpu_cores, needed.cpu_cores),
            ("memory_gb", self.memory_gb, needed.memory_gb),
        )
        return tuple(
            Shortage(name, round(need, 3), round(max(0.0, have), 3))
            for name, have, need in both
            if need > have + _HAIR
        )

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return {"cpu_cores": round(self.cpu_cores, 3), "memory_gb": round(self.memory_gb, 3)}


@dataclass(frozen=True, slots=True)
class Shortage:
    """A resource of which more is needed than is free.  resource: "cpu_cores" or "memory_gb"."""

    resource: str
    needed: float
    free: float

    def __str__(self) -> str:
        what = {"cpu_cores": "processor cores", "memory_gb": "GB of memory"}[self.resource]
        return f"{self.needed:g} {what} are needed and {self.free:g} are free"


class Unschedulable(ModelwrightError):
    """A cluster has not enough room for the fewest replicas of an endpoint."""

    code = "unschedulable"

    def __init__(
        self, name: str, cluster: str, replicas: int, short: tuple[Shortage, ...], fit: int
    ) -> None:
        """fit: how many of the replicas have room."""
        lacking = "; ".join(str(s) for s in short)
        wanted = "a replica" if replicas == 1 else f"{replicas} replicas"
        super().__init__(
            f'The inference cluster "{cluster}" has no room for {wanted} of endpoint '
            f'"{name}": {lacking}. {fit} fit.',
            remedy="Lower min_replicas, cpu_reserve or memory_reserve_gb, enlarge the cluster, or "
            "stop another endpoint there.",
            name=name,
            cluster=cluster,
            replicas=replicas,
            fit=fit,
            short=[{"resource": s.resource, "needed": s.needed, "free": s.free} for s in short],
        )


class Ledger:
    """What the endpoints of a cluster have reserved; a reservation of an endpoint that is gone lapses.

    is_there: tells whether an endpoint still has a right to what it reserved.
    """

    def __init__(self, folder: Path, is_there: Callable[[str], bool]) -> None:
        """folder: the cluster's."""
        self._folder = folder
        self._is_there = is_there
        self._file = folder / "reserved.json"
        self._size = folder / "capacity.json"

    def capacity(self) -> Resources:
        """How much may be reserved: what was set, else all that the machine has."""
        machine = Resources.of_machine()
        found = _read(self._size)
        return Resources(
            machine.cpu_cores if found.get("cpu_cores") is None else found["cpu_cores"],
            machine.memory_gb if found.get("memory_gb") is None else found["memory_gb"],
        )

    def set_capacity(self, *, cpu_cores: float | None, memory_gb: float | None) -> None:
        """Say how much may be reserved; None for all that the machine has."""
        with self._locked():
            _write(self._size, {"cpu_cores": cpu_cores, "memory_gb": memory_gb})

    def reserved(self) -> dict[str, Resources]:
        """What is reserved, by endpoint."""
        return {
            name: Resources(value["cpu_cores"], value["memory_gb"])
            for name, value in _read(self._file).items()
            if self._is_there(name)
        }

    def free_for(self, name: str) -> Resources:
        """What an endpoint could reserve, beside what all the others have."""
        free = self.capacity()
        for other, taken in self.reserved().items():
            if other != name:
                free -= taken
        return free

    def reserve(
        self,
        name: str,
        each: Resources,
        replicas: int,
        *,
        at_least: int,
        beside: Resources | None = None,
    ) -> int:
        """Reserve room for so many replicas, or as many as there is room for; how many that is.

        What the endpoint has reserved before is given back.  Below `at_least` nothing changes, and
        the number tells how many there would be room for.  beside: what else the endpoint takes.
        """
        beside = beside or Resources()
        with self._locked():
            granted = min(replicas, (self.free_for(name) - beside).times(each))
            if granted >= at_least:
                known = self.reserved()
                known[name] = each * granted + beside
                _write(self._file, {n: r.to_json() for n, r in known.items()})
            return granted

    def give_back(self, name: str) -> None:
        """Give back all that an endpoint has reserved."""
        with self._locked():
            known = self.reserved()
            if known.pop(name, None) is not None:
                _write(self._file, {n: r.to_json() for n, r in known.items()})

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _write(path: Path, value: Mapping[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)
