"""What a compute cluster for runs is: its kind, its bounds, and what its workers may take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

from modelwright.data.errors import ModelwrightError, suggestion

LOCAL = "local"
KINDS = ("local", "ray")
Kind = Literal["local", "ray"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,31}")
_ADDRESS = re.compile(r"[A-Za-z0-9_.\-\[\]:]+:[0-9]{1,5}")
_MOST_WORKERS = 10_000


class UnknownTarget(ModelwrightError):
    """A run is to be worked on at a place that there is none of."""

    code = "unknown-target"

    def __init__(self, target: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'There is no compute target "{target}".',
            remedy=f"{suggestion(target, known)}The targets are: {', '.join(known)}.",
            target=target,
            near=list(known),
        )


class InvalidCompute(ModelwrightError):
    """A compute cluster is to get a value that it cannot have."""

    code = "invalid-compute"

    def __init__(self, setting: str, value: Any, why: str) -> None:
        super().__init__(
            f'"{setting}" of a compute cluster cannot be {value!r}: {why}.',
            remedy=f'Give another value for "{setting}".',
            setting=setting,
            value=value,
            why=why,
        )


class ComputeBusy(ModelwrightError):
    """A compute cluster is to change or go while runs are worked on there."""

    code = "compute-busy"

    def __init__(self, name: str, runs: tuple[str, ...]) -> None:
        super().__init__(
            f'Runs are worked on at compute cluster "{name}": {", ".join(runs)}.',
            remedy="Wait until they have ended, or cancel them.",
            name=name,
            runs=list(runs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeSettings:
    """A compute cluster as it was defined.

    min_workers, max_workers: how many are kept, and how many there may be at a time; None for as many
    as this machine has cores, or the Ray cluster has.  idle_s: after so many seconds a worker above
    `min_workers` that has nothing to do is ended.  worker_memory: bytes that a worker may take; None
    for no bound.  address: of a Ray cluster, as HOST:PORT; empty for one that is started when it is
    needed and stopped again.  retries: how often a step is begun again after its worker crashed.
    longest_step_s: seconds after which a step is given up; None for none.
    """

    name: str
    kind: Kind = "local"
    min_workers: int = 0
    max_workers: int | None = None
    idle_s: float = 120.0
    worker_memory: int | None = None
    address: str = ""
    retries: int = 0
    longest_step_s: float | None = None
    description: str = ""

    def checked(self) -> Self:
        """Itself.  Raises InvalidCompute for the first value that cannot be."""
        if not _NAME.fullmatch(self.name):
            raise InvalidCompute(
                "name", self.name, 'letters, digits and "-", 2 to 32 of them, a letter first'
            )
        if self.kind not in KINDS:
            raise InvalidCompute("kind", self.kind, f"the kinds are {' and '.join(KINDS)}")
        if not 0 <= self.min_workers <= _MOST_WORKERS:
            raise InvalidCompute("min_workers", self.min_workers, f"0 to {_MOST_WORKERS} may be")
        most = self.max_workers
        if most is not None and not 1 <= most <= _MOST_WORKERS:
            raise InvalidCompute("max_workers", most, f"1 to {_MOST_WORKERS} may be")
        if most is not None and most < self.min_workers:
            raise InvalidCompute("max_workers", most, f"at least {self.min_workers} are kept")
        if not 0 < self.idle_s <= 86_400:
            raise InvalidCompute("idle_s", self.idle_s, "more than 0 and at most a day")
        if self.worker_memory is not None and self.worker_memory < 256 << 20:
            raise InvalidCompute("worker_memory", self.worker_memory, "256 MiB are the least")
        if self.address and self.kind != "ray":
            raise InvalidCompute("address", self.address, "only a Ray cluster has an address")
        if self.address and not _ADDRESS.fullmatch(self.address):
            raise InvalidCompute("address", self.address, "write it as HOST:PORT")
        if not 0 <= self.retries <= 10:
            raise InvalidCompute("retries", self.retries, "0 to 10 may be")
        longest = self.longest_step_s
        if longest is not None and not 0 < longest <= 30 * 86_400:
            raise InvalidCompute("longest_step_s", longest, "more than 0 and at most 30 days")
        return self

    def changed(self, values: Mapping[str, Any]) -> Self:
        """With other values.  Raises InvalidCompute."""
        for name in values:
            if name in ("name", "kind") or name not in {f.name for f in fields(self)}:
                raise InvalidCompute(name, values[name], "it cannot be changed")
        return replace(self, **values).checked()

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: v for name, v in value.items() if name in known})
