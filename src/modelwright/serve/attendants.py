"""Processes of an endpoint that get copies: one for each shadow, and one that collects data."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.serve.assortment import Assortment
from modelwright.serve.collecting import Collector
from modelwright.serve.control import private_socket
from modelwright.serve.deployed import Part
from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.limits import die_with_parent, limit_memory
from modelwright.serve.processes import Process
from modelwright.serve.replica import loop_factory
from modelwright.serve.shadow import Shadow, compared

_PAUSE_S = 1.0
_END_S = 3.0

_log = logging.getLogger("modelwright.controller")


@dataclass(slots=True)
class _Attendant:
    """One at work.  made_of: when that changes it is made anew."""

    made_of: object
    process: Process
    socket: Path


@dataclass(slots=True)
class Attendants:
    """The attendants of an endpoint, kept by its controller; each ends with it.

    forget: closes in a forked process what only the controller may have.
    """

    folder: EndpointFolder
    forget: Callable[[], None]
    _at_work: dict[str, _Attendant] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)

    @property
    def processes(self) -> list[Process]:
        """Those at work."""
        return [one.process for one in self._at_work.values()]

    def keep(self, shelf: Assortment | None) -> None:
        """Make those that are lacking, and end those that are not wanted any more."""
        wanted = _wanted(shelf) if shelf else {}
        for name, one in list(self._at_work.items()):
            if wanted.get(name) != one.made_of:
                self._end(name)
            elif not one.process.is_alive:
                _log.warning("%s ended and is replaced", name)
                self._end(name)
                self._not_before[name] = time.monotonic() + _PAUSE_S
        if shelf is None:
            return
        for name, made_of in wanted.items():
            if name not in self._at_work and time.monotonic() >= self._not_before.get(name, 0.0):
                self._make(name, made_of, shelf)

    def compared(self, number: int) -> dict[str, Any]:
        """What the shadow of a deployment has found."""
        return compared(_told(self.folder, number))

    def end(self) -> None:
        """End all of them."""
        for name in list(self._at_work):
            self._end(name)

    def _make(self, name: str, made_of: object, shelf: Assortment) -> None:
        kind, _, number = name.partition("-")
        path = self.folder.path / f"{name}.sock"
        if kind == "shadow":
            _told(self.folder, int(number)).unlink(missing_ok=True)
        listener = private_socket(path)
        listener.listen(64)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                die_with_parent()
                self.forget()
                os.nice(5)
                work = (
                    _shadow(self.folder, int(number), shelf, listener)
                    if kind == "shadow"
                    else _collect(self.folder, shelf, listener)
                )
                _run(work)
                status = 0
            except Exception:  # noqa: BLE001  # the rim of a process: the controller makes another
                _log.exception("%s ended", name)
            finally:
                temporary.clear()
                os._exit(status)
        listener.close()
        self._at_work[name] = _Attendant(made_of, Process.of(pid), path)

    def _end(self, name: str) -> None:
        one = self._at_work.pop(name)
        one.process.send(signal.SIGTERM)
        until = time.monotonic() + _END_S
        while one.process.is_alive and time.monotonic() < until:
            time.sleep(0.01)
        one.process.send(signal.SIGKILL)
        one.process.bury(wait=True)
        one.socket.unlink(missing_ok=True)


def ways(folder: EndpointFolder) -> Callable[[Mapping[int, Part]], dict[Path, dict[int, int]]]:
    """The sockets that get copies of what deployments answer, and of how many requests."""

    def found(parts: Mapping[int, Part]) -> dict[Path, dict[int, int]]:
        answering = [number for number, part in parts.items() if part.answers]
        wanted: dict[Path, dict[int, int]] = {}
        for number, part in parts.items():
            if part.shadow:
                shares = dict.fromkeys(answering, part.shadow)
                wanted[folder.path / f"shadow-{number}.sock"] = shares
        collected = {
            n: parts[n].settings.collection_share
            for n in answering
            if parts[n].settings.data_collection
        }
        if collected:
            wanted[folder.path / "collector.sock"] = collected
        return wanted

    return found


def _wanted(shelf: Assortment) -> dict[str, object]:
    """The attendants that deployments need, and what each is made of."""
    found: dict[str, object] = {
        f"shadow-{n}": (str(part.package), part.settings)
        for n, part in shelf.parts.items()
        if part.shadow
    }
    collected = {n: p.settings for n, p in shelf.answering.items() if p.settings.data_collection}
    if collected:
        found["collector"] = tuple(
            (n, s.collection_format, s.collection_file_mb, s.collection_files)
            for n, s in sorted(collected.items())
        )
    return found


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run until told to end."""

    async def until_told() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            return

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(until_told())


async def _shadow(folder: EndpointFolder, number: int, shelf: Assortment, listener: Any) -> None:
    part = shelf.parts[number]
    limit_memory(part.settings.memory_reserve_gb)
    live = await shelf.stocks[number].live(part.settings)
    try:
        await Shadow(number, live, _told(folder, number)).serve(listener)
    finally:
        await live.lane.close()


async def _collect(folder: EndpointFolder, shelf: Assortment, listener: Any) -> None:
    settings = {n: p.settings for n, p in shelf.answering.items() if p.settings.data_collection}
    await Collector(folder.collected, settings).serve(listener)


def _told(folder: EndpointFolder, number: int) -> Path:
    return folder.path / f"shadow-{number}.json"
