"""Several deployments in a replica that has no controller: it has a process for each shadow itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import select
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.serve.control import private_socket
from modelwright.serve.copies import Onlooking
from modelwright.serve.deployed import Deployed, Part
from modelwright.serve.errors import DeploymentFailed
from modelwright.serve.keeping import Batches, HandOn
from modelwright.serve.limits import thread_bounds
from modelwright.serve.live import Live
from modelwright.serve.meters import Meter
from modelwright.serve.shadow import compared
from modelwright.serve.traffic import Onlooker
from modelwright.serve.workers import START_S

_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0

_log = logging.getLogger("modelwright.replica")


class Accompanied:
    """The deployments of a replica on a container engine or on Ray, which share its requests.

    Raises of `apply`: DeploymentFailed and as `load`; then what served before serves on.
    """

    def __init__(self, name: str, hand_on: HandOn) -> None:
        """hand_on: takes requests and replies to where they are kept."""
        self._name = name
        self._folder = Path(tempfile.mkdtemp(prefix="shadows-", dir=temporary.place()))
        self._looking = Onlooking(self._ways)
        self._batches = Batches(hand_on)
        self._deployed = Deployed(name, self._onlookers)
        self._shadows: dict[int, ShadowProcess] = {}
        self._serial = count()
        self._changing = asyncio.Lock()

    @property
    def meters(self) -> list[Meter]:
        """What each deployment has counted, where there are several."""
        return self._deployed.meters

    def told(self) -> list[dict[str, Any]]:
        """Each shadow by the number of its deployment, with what it has found."""
        return [
            {"number": number, "compared": compared(shadow.told)}
            for number, shadow in self._shadows.items()
        ]

    async def apply(self, parts: Mapping[int, Part], put: Callable[[Live], None]) -> None:
        """Serve these deployments from now on; then end what is left out.

        put: told what serves, before anything is ended.
        """
        async with self._changing:
            former = self._shadows
            made: list[ShadowProcess] = []
            try:
                self._shadows = {}
                for number, part in parts.items():
                    if not part.shadow:
                        continue
                    known = former.get(number)
                    if known is None or not known.is_of(part):
                        # The one that is there goes on until another has proved that it answers.
                        folder = self._folder / f"{number}-{next(self._serial)}"
                        known = await ShadowProcess.start(self._name, number, part, folder)
                        made.append(known)
                    self._shadows[number] = known
                await self._deployed.apply(parts, put)
            except BaseException:
                self._shadows = former
                for one in made:
                    await one.end()
                raise
            for number, one in former.items():
                if self._shadows.get(number) is not one:
                    await one.end()

    async def close(self) -> None:
        """End the shadows, and hand on what is to be kept."""
        await self._batches.close()
        for one in self._shadows.values():
            await one.end()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _onlookers(
        self, parts: Mapping[int, Part], meters: Mapping[int, Meter]
    ) -> Sequence[Onlooker]:
        kept = {n: p.settings for n, p in parts.items() if p.answers and p.settings.data_collection}
        self._batches.want(kept, meters)
        found = self._looking(parts, meters)
        return (*found, self._batches) if kept else found

    def _ways(self, parts: Mapping[int, Part]) -> dict[Path, dict[int, int]]:
        answering = [number for number, part in parts.items() if part.answers]
        return {
            shadow.socket: dict.fromkeys(answering, parts[number].shadow)
            for number, shadow in self._shadows.items()
        }


class ShadowProcess:
    """The process of a shadow; it ends with this one, and another follows on one that has ended unasked.

    socket: where it takes copies.  told: the file in which it tells what it has found.
    """

    def __init__(self, name: str, number: int, part: Part, folder: Path) -> None:
        self.socket = folder / "copies.sock"
        self.told = folder / "told.json"
        self._name = name
        self._number = number
        self._part = part
        self._process: asyncio.subprocess.Process | None = None
        self._minding: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, name: str, number: int, part: Part, folder: Path) -> ShadowProcess:
        """One that has scored its samples.  Raises DeploymentFailed and as `load`."""
        await asyncio.to_thread(folder.mkdir, parents=True)
        made = cls(name, number, part, folder)
        await made._begin()
        made._minding = asyncio.create_task(made._mind())
        return made

    def is_of(self, part: Part) -> bool:
        """Whether it is as it would be made for this deployment."""
        return (self._part.package, self._part.settings) == (part.package, part.settings)

    async def end(self) -> None:
        """End it, whatever it has begun: nobody waits for its answers."""
        if self._minding is not None:
            self._minding.cancel()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self.socket.parent, ignore_errors=True)

    async def _begin(self) -> None:
        settings = self._part.settings
        reading, writing = os.pipe()
        try:
            with private_socket(self.socket) as listener:
                listener.listen(64)
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "modelwright.serve.shadow_process"),
                    *(str(self._part.package), self._name, str(self._number), str(self.told)),
                    *(json.dumps(settings.to_json()), str(listener.fileno()), str(writing)),
                    pass_fds=(listener.fileno(), writing),
                    stdin=asyncio.subprocess.DEVNULL,
                    env=thread_bounds(settings.cpu_reserve, os.environ),
                )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        said = await asyncio.to_thread(_said, reading)
        if "pid" in said:
            return
        self._process.kill()
        await self._process.wait()
        if "error" in said:
            raise ModelwrightError.from_json(said["error"])
        raise DeploymentFailed(self._name, f"its shadow {self._number} ended before it was ready.")

    async def _mind(self) -> None:
        pause = _PAUSE_S
        while self._process is not None:
            await self._process.wait()
            _log.warning("shadow %d ended and is replaced", self._number)
            await asyncio.sleep(pause)
            try:
                await self._begin()
                pause = _PAUSE_S
            except (ModelwrightError, OSError) as error:
                _log.error("shadow %d did not start: %s", self._number, error)
                pause = min(_LONGEST_PAUSE_S, 2 * pause)


def _said(descriptor: int) -> dict[str, Any]:
    """The line that a starting process writes; empty when it ends or the time does before."""
    with os.fdopen(descriptor, encoding="utf-8") as pipe:
        ready, _, _ = select.select([pipe], [], [], START_S)
        line = pipe.readline() if ready else ""
    said: dict[str, Any] = json.loads(line) if line else {}
    return said
