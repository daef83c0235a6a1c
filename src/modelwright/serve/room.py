"""The room that an endpoint has on its cluster: how many replicas, and why not more."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from modelwright.serve.assortment import Assortment
from modelwright.serve.capacity import Resources, Unschedulable
from modelwright.serve.deployed import Part
from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.ledgers import ledger_of


class Room:
    """What an endpoint has reserved.

    replicas: for how many there is room, of those that were asked for.  limit: how many there could
    be at the most.  message: why there are fewer than the load needs.
    """

    def __init__(self, folder: EndpointFolder, cluster: str) -> None:
        self._folder = folder
        self._cluster = cluster
        self.ledger = ledger_of(folder, cluster)
        self.replicas = 1
        self.limit: int | None = None
        self.message = ""

    def admit(self, shelf: Assortment, replicas: int) -> None:
        """Reserve room for these deployments in place of those before.  Raises Unschedulable.

        replicas: how many there are now; never fewer than the fewest are asked for.
        """
        settings = shelf.settings
        least = max(1, settings.min_replicas)
        self._reserve(shelf, max(least, min(replicas, settings.max_replicas)), least)

    def take(self, shelf: Assortment, replicas: int, processes: int) -> None:
        """Reserve what the load needs, or as much of it as there is.

        processes: scoring processes at work, which are the replicas of pipelines that need them.
        """
        settings = shelf.settings
        each = Resources.reserved_by(settings)
        if shelf.is_compiled:
            wanted, self.limit = replicas, None
        else:
            places = settings.max_concurrent_requests
            wanted = max(1, -(-processes // places))
            free = self.ledger.free_for(self._folder.name) - shelf.shadows
            self.limit = max(1, free.times(each))
        got = self.ledger.reserve(self._folder.name, each, wanted, at_least=0, beside=shelf.shadows)
        # One at work is not taken away because the cluster was made smaller meanwhile.
        self.replicas = max(got, min(1, wanted))
        lacking = wanted - self.replicas
        self.message = (
            f"{lacking} more replicas are needed, for which the inference cluster "
            f'"{self._cluster}" has no room.'
            if lacking > 0
            else ""
        )

    def limited(self, part: Part) -> Part:
        """A deployment that wants no more replicas than there is room for."""
        most = part.settings.max_replicas
        if self.limit is None or self.limit >= most:
            return part
        settings = msgspec.structs.replace(
            part.settings,
            max_replicas=self.limit,
            min_replicas=min(self.limit, part.settings.min_replicas),
        )
        return replace(part, settings=settings)

    def give_back(self) -> None:
        """Give all of it back."""
        self.ledger.give_back(self._folder.name)

    def _reserve(self, shelf: Assortment, replicas: int, least: int) -> None:
        each, name = Resources.reserved_by(shelf.settings), self._folder.name
        got = self.ledger.reserve(name, each, replicas, at_least=least, beside=shelf.shadows)
        if got < least:
            needed = each * least + shelf.shadows
            short = self.ledger.free_for(name).short(needed)
            raise Unschedulable(name, self._cluster, least, short, got)
        self.replicas = got
