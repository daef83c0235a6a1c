"""All deployments of an endpoint as its controller holds them, ready to be multiplied by forking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from modelwright.serve.capacity import Resources
from modelwright.serve.deployed import Deployed, Onlookers, Part, nobody
from modelwright.serve.endpoint_folder import EndpointFolder, Served, leading
from modelwright.serve.live import Live
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.stock import Stock


@dataclass(frozen=True, slots=True)
class Assortment:
    """Deployments that have proved that they answer, by number.

    onlookers: who gets copies of what replicas answer.
    """

    name: str
    parts: Mapping[int, Part]
    stocks: Mapping[int, Stock]
    onlookers: Onlookers = field(default=nobody)

    @classmethod
    def load(
        cls,
        folder: EndpointFolder,
        served: Mapping[int, Served],
        former: Assortment | None = None,
        onlookers: Onlookers = nobody,
    ) -> Assortment:
        """Load the packages that the former assortment has not, each tried on its sample rows.

        Raises InvalidSetting, UnknownSetting and as `Stock.load`; then nothing new is left.
        """
        settings = {n: DeploymentSettings.read(one.settings) for n, one in served.items()}
        stocks: dict[int, Stock] = {}
        made: list[Stock] = []
        try:
            for number, one in served.items():
                package = folder.path / one.package
                known = former.same(number, package, settings[number]) if former else None
                if known is None:
                    known = Stock.load(folder.name, package, folder.path, settings[number])
                    made.append(known)
                stocks[number] = known
        except BaseException:
            for stock in made:
                stock.end()
            raise
        parts = {
            number: Part(
                folder.path / one.package,
                settings[number],
                one.share,
                one.shadow,
                nursery.path if (nursery := stocks[number].nursery) else None,
            )
            for number, one in served.items()
        }
        return cls(folder.name, parts, stocks, onlookers)

    def same(self, number: int, package: Path, settings: DeploymentSettings) -> Stock | None:
        """The stock that can go on for a deployment; None where it must be loaded anew."""
        part = self.parts.get(number)
        if part is None or part.package != package:
            return None
        stock = self.stocks[number]
        bounds = (settings.memory_reserve_gb, settings.cpu_reserve)
        if stock.nursery and bounds != (part.settings.memory_reserve_gb, part.settings.cpu_reserve):
            # What its nursery makes is bounded from the start.
            return None
        return stock

    @property
    def leading(self) -> int:
        """The number of the deployment that most requests go to."""
        return leading({n: Served("", share=part.share) for n, part in self.parts.items()})

    @property
    def answering(self) -> dict[int, Part]:
        """Those whose replies callers get."""
        return {n: part for n, part in self.parts.items() if part.answers}

    @property
    def is_compiled(self) -> bool:
        """Whether replicas score by themselves, without processes to help."""
        return all(self.stocks[n].is_compiled for n in self.answering)

    @property
    def settings(self) -> DeploymentSettings:
        """Those of a replica that has all deployments: what each reserves, and the widest bounds."""
        return together([part.settings for part in self.answering.values()])

    @property
    def shadows(self) -> Resources:
        """What the processes of the shadows reserve; a deployment that also answers has one more."""
        found = Resources()
        for part in self.parts.values():
            if part.shadow:
                found += Resources.reserved_by(part.settings)
        return found

    async def deployed(self) -> Deployed:
        """The deployments in a replica that was forked with this.  Raises DeploymentFailed."""
        found = Deployed(self.name, self.onlookers)
        lives: dict[int, Live] = {}
        for number, part in self.answering.items():
            lives[number] = await self.stocks[number].live(part.settings)
        found.hold(self.parts, lives)
        return found

    def end(self, *, but: Assortment | None = None) -> None:
        """Give back what it holds and the other does not; replicas that were made go on."""
        kept = list(but.stocks.values()) if but else []
        for stock in self.stocks.values():
            if not any(stock is other for other in kept):
                stock.end()


def together(settings: list[DeploymentSettings]) -> DeploymentSettings:
    """The settings of replicas that have several deployments each.

    Reserves add up.  The most cautious of the bounds of each counts: as many replicas as one of them
    wants at least, as low a target, as long a calm.
    """
    first, *more = settings
    for other in more:
        first = msgspec.structs.replace(
            first,
            autoscale=first.autoscale or other.autoscale,
            min_replicas=max(first.min_replicas, other.min_replicas),
            max_replicas=max(first.max_replicas, other.max_replicas),
            target_utilization=min(first.target_utilization, other.target_utilization),
            refresh_period_s=min(first.refresh_period_s, other.refresh_period_s),
            calm_s=max(first.calm_s, other.calm_s),
            cpu_reserve=first.cpu_reserve + other.cpu_reserve,
            memory_reserve_gb=first.memory_reserve_gb + other.memory_reserve_gb,
        )
    return first
