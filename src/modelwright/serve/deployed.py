"""The deployments that a replica has: all at once, each with its share of the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from modelwright.serve.live import Live
from modelwright.serve.loading import load
from modelwright.serve.meters import MOST_DEPLOYMENTS, Meter
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.traffic import Onlooker, SharedLane


@dataclass(frozen=True, slots=True)
class Part:
    """A deployment as a replica is told of it.

    package: its folder.  nursery: where its scoring processes are made, if it needs any.
    """

    package: Path
    settings: DeploymentSettings = field(default_factory=DeploymentSettings)
    share: int = 100
    shadow: int = 0
    nursery: Path | None = None

    @property
    def answers(self) -> bool:
        """Whether callers get its replies; a mere shadow has a process of its own."""
        return not self.shadow or self.share > 0

    def to_json(self) -> dict[str, Any]:
        """The part as JSON."""
        return {
            "package": str(self.package),
            "settings": self.settings.to_json(),
            "share": self.share,
            "shadow": self.shadow,
            "nursery": str(self.nursery) if self.nursery else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.  Raises InvalidSetting and UnknownSetting."""
        return cls(
            Path(value["package"]),
            DeploymentSettings.read(value["settings"]),
            value["share"],
            value["shadow"],
            Path(value["nursery"]) if value["nursery"] else None,
        )


Onlookers = Callable[[Mapping[int, Part], Mapping[int, Meter]], Sequence[Onlooker]]
"""Who gets copies of what such deployments answer; their meters count what is skipped."""


def nobody(parts: Mapping[int, Part], meters: Mapping[int, Meter]) -> Sequence[Onlooker]:
    """No onlookers."""
    return ()


class Deployed:
    """All deployments of a replica, by number, and the one way to them.

    The lives are given as they are, or made by `apply` from their packages.
    """

    def __init__(self, name: str, onlookers: Onlookers = nobody) -> None:
        self._name = name
        self._onlookers = onlookers
        self._parts: dict[int, Part] = {}
        self._lives: dict[int, Live] = {}
        self._meters: dict[int, Meter] = {}
        self._changing = asyncio.Lock()
        self.live: Live | None = None

    @property
    def meters(self) -> list[Meter]:
        """What each deployment has counted, where there are several."""
        for number, meter in self._meters.items():
            load = self._lives[number].lane.load
            meter.busy, meter.queued = load.busy, load.queued
        return list(self._meters.values())[:MOST_DEPLOYMENTS]

    def hold(self, parts: Mapping[int, Part], lives: Mapping[int, Live]) -> Live:
        """Serve these from now on; the caller closes those that are not among them any more."""
        self._parts = dict(parts)
        self._lives = {number: lives[number] for number, part in parts.items() if part.answers}
        shares = {number: parts[number].share for number in self._lives}
        first = max(shares, key=lambda n: (shares[n], n))
        meters = {n: self._meters.get(n) or Meter(n) for n in self._lives}
        onlookers = self._onlookers(parts, meters)
        if len(self._lives) == 1 and not onlookers:
            # The usual case goes straight to its lane.
            self._meters = {}
            self.live = self._lives[first]
            return self.live
        self._meters = meters
        lanes = {n: live.lane for n, live in self._lives.items()}
        leading = self._lives[first]
        talks = any(part.settings.diagnostics for part in parts.values())
        self.live = Live(
            self._name,
            leading.package,
            SharedLane(lanes, shares, meters, onlookers),
            msgspec.structs.replace(leading.settings, diagnostics=talks),
        )
        return self.live

    async def apply(self, parts: Mapping[int, Part], put: Callable[[Live], None]) -> None:
        """Serve other deployments from now on, loading what is new; then end what is left out.

        put: told what serves, before anything is ended.  Raises as `load`; then nothing has changed.
        """
        async with self._changing:
            lives, made = await self._loaded(parts)
            former = self._lives
            for number, live in lives.items():
                if number not in made:
                    live.change(parts[number].settings)
            put(self.hold(parts, lives))
            for number, live in former.items():
                if lives.get(number) is not live:
                    await live.lane.close()

    async def _loaded(self, parts: Mapping[int, Part]) -> tuple[dict[int, Live], list[int]]:
        """Every deployment that answers, ready, and which of them were not before."""
        lives: dict[int, Live] = {}
        made: list[int] = []
        try:
            for number, part in parts.items():
                if not part.answers:
                    continue
                if self._is_same(number, part):
                    lives[number] = self._lives[number]
                    continue
                lives[number] = await load(self._name, part.package, part.settings, part.nursery)
                made.append(number)
        except BaseException:
            for number in made:
                await lives[number].lane.close()
            raise
        return lives, made

    def _is_same(self, number: int, part: Part) -> bool:
        known = self._parts.get(number)
        if known is None or number not in self._lives:
            return False
        if (known.package, known.nursery) != (part.package, part.nursery):
            return False
        # Processes of its own are bounded from the start.
        bounds = ("memory_reserve_gb", "cpu_reserve")
        return (
            known.nursery is not None
            or self._lives[number].package.plan.is_compiled
            or all(getattr(known.settings, b) == getattr(part.settings, b) for b in bounds)
        )
