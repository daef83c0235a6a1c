"""Requests and replies of a replica that has no controller: gathered here, and handed on to who keeps them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelwright.inference.scorer import Shape
from modelwright.serve.collecting import FLUSH_S, Collector
from modelwright.serve.copies import WAITING, Copy, Sampling
from modelwright.serve.meters import Meter
from modelwright.serve.settings import DeploymentSettings

Settings = Mapping[int, DeploymentSettings]
"""Those of the deployments whose requests are kept, by number."""

HandOn = Callable[[Settings, Sequence[Copy], bool], Coroutine[Any, Any, None]]
"""Takes copies to where they are kept, and is told whether these are the last."""

_log = logging.getLogger("modelwright.collector")


class Batches(Sampling):
    """An onlooker that gathers copies, and hands them on twice a second.

    Callers never wait for it: what it has no room for is left out and counted.
    """

    def __init__(self, hand_on: HandOn) -> None:
        super().__init__()
        self.settings: Settings = {}
        self.meters: Mapping[int, Meter] = {}
        self._hand_on = hand_on
        self._waiting: list[Copy] = []
        self._former: list[tuple[Settings, list[Copy]]] = []
        self._bytes = 0
        self._work: asyncio.Task[None] | None = None

    def want(self, settings: Settings, meters: Mapping[int, Meter]) -> None:
        """Keep the requests of these deployments from now on."""
        if settings != self.settings and self.settings:
            # What was seen before belongs to the settings of then.
            self._former.append((self.settings, self._waiting))
            self._waiting, self._bytes = [], 0
        self.settings, self.meters = settings, meters
        self.shares = {number: one.collection_share for number, one in settings.items()}
        if self._work is None and settings:
            self._work = asyncio.get_running_loop().create_task(self._go_on())

    def see(self, number: int, body: bytes, shape: Shape, reply: bytes) -> None:
        """Take a copy, if it is this request's turn and there is room."""
        if not self.takes(number):
            return
        size = len(body) + len(reply)
        if self._bytes + size > WAITING:
            if number in self.meters:
                self.meters[number].skipped += 1
            return
        self._bytes += size
        self._waiting.append(Copy.now(number, shape, body, reply))

    async def close(self) -> None:
        """Hand on what is left."""
        if self._work is not None:
            self._work.cancel()
            self._work = None
            await self._hand(over=True)

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._hand(over=False)

    async def _hand(self, *, over: bool) -> None:
        former, self._former = self._former, []
        for settings, copies in former:
            await self._handed(settings, copies, over=True)
        copies, self._waiting, self._bytes = self._waiting, [], 0
        if self.settings:
            await self._handed(self.settings, copies, over=over)

    async def _handed(self, settings: Settings, copies: Sequence[Copy], *, over: bool) -> None:
        try:
            await self._hand_on(settings, copies, over)
        except Exception:  # noqa: BLE001  # the rim of a replica: it goes on without what was kept
            _log.exception("%d requests are not kept", len(copies))


class Keeper:
    """Writes copies to the files of their deployments.

    folder: has a folder for each deployment, named by its number.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made_of: object = None
        self._collector: Collector | None = None

    def keep(self, settings: Settings, copies: Sequence[Copy], over: bool) -> None:
        """Take copies in, and write what is due; everything when it is over."""
        made_of = {
            number: (one.collection_format, one.collection_file_mb, one.collection_files)
            for number, one in settings.items()
        }
        if self._collector is None or made_of != self._made_of:
            self.close()
            self._collector, self._made_of = Collector(self._folder, settings), made_of
        for copy in copies:
            self._collector.add(copy)
        self._collector.flush(over=over)

    def close(self) -> None:
        """Write what is left."""
        if self._collector is not None:
            self._collector.flush(over=True)


def kept_in(folder: Path) -> HandOn:
    """Who keeps copies in files of this machine, on a thread beside the one that answers."""
    keeper = Keeper(folder)

    async def hand_on(settings: Settings, copies: Sequence[Copy], over: bool) -> None:
        await asyncio.to_thread(keeper.keep, settings, copies, over)

    return hand_on
