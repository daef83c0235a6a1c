"""The replicas of an endpoint as its controller sees them: made, watched, replaced, taken away."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.serve import groups
from modelwright.serve.assortment import Assortment
from modelwright.serve.control import NoReplica, tell
from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.front import Front, forget_parent
from modelwright.serve.meters import Meter, Meters
from modelwright.serve.processes import Process
from modelwright.serve.replica import Report
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.slots import MOST, Figures, Slots
from modelwright.serve.workers import START_S

DRAIN_S = 10.0
"""How long a replica that is taken away still answers on the connections it has."""

_YOUNG_S = 5.0
_FALLING = 3
_PAUSE_S = 0.02
_ASKED_S = 0.5
_SLIGHTLY = 1e-3
_LONGEST_PAUSE_S = 10.0

_log = logging.getLogger("modelwright.controller")


@dataclass(slots=True)
class Member:
    """A replica at work.

    leaving: it was told to end.  watch: a descriptor that tells of its end.  heard: it takes commands.
    cpu: seconds at the last look.  requests: that it had counted then.  asked: when it last had any.
    """

    slot: int
    process: Process
    since: float
    leaving: bool = False
    watch: int | None = None
    heard: bool = False
    cpu: float = 0.0
    requests: int = 0
    asked: float = -math.inf


@dataclass(slots=True)
class Fleet:
    """All replicas of an endpoint; `keep` makes them as many as are wanted.

    wanted: how many.  retired: requests answered by those that are gone.  on_change: called when one has come or gone.  private: descriptors of the
    controller that a forked process must not keep.
    """

    folder: EndpointFolder
    listener: socket.socket
    selector: selectors.BaseSelector
    on_change: Callable[[], None]
    private: list[int] = field(default_factory=list)
    wanted: int = 0
    members: dict[int, Member] = field(default_factory=dict)
    retired: int = 0
    _fallen: int = 0
    _not_before: float = 0.0
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _looked: float = field(default_factory=time.monotonic)
    _slots: Slots = field(init=False)
    _meters: Meters = field(init=False)

    def __post_init__(self) -> None:
        self._slots = Slots(self.folder.slots)
        self._meters = Meters(self.folder.meters, slots=MOST)

    @property
    def serving(self) -> list[Member]:
        """Those that were not told to end."""
        return [m for m in self.members.values() if not m.leaving]

    @property
    def is_falling(self) -> bool:
        """Whether replicas end soon after they began, again and again."""
        return self._fallen >= _FALLING

    def adopt(self, fronts: Mapping[int, Process]) -> None:
        """Take over those of an earlier controller that are alive."""
        for slot, process in fronts.items():
            if process.is_alive:
                member = Member(slot, process, time.monotonic(), cpu=process.cpu_seconds())
                with contextlib.suppress(NoReplica):
                    said = tell(self.folder.front_control(slot), {"do": "status"}, seconds=2)
                    member.leaving = said["leaving"]
                self._watch(member)

    def keep(
        self, stock: Assortment | None, deployment: DeploymentSettings, endpoint: EndpointSettings
    ) -> None:
        """Make what is lacking and take away what is too much."""
        now = time.monotonic()
        if self._fallen and all(now - m.since > _YOUNG_S for m in self.serving) and self.serving:
            self._fallen = 0
        surplus = len(self.serving) - self.wanted
        for member in sorted(self.serving, key=lambda m: -m.slot)[: max(0, surplus)]:
            self.take_away(member)
        if stock is None or now < self._not_before:
            return
        for _ in range(-surplus):
            self.make(stock, deployment, endpoint)

    def make(
        self,
        stock: Assortment,
        deployment: DeploymentSettings,
        endpoint: EndpointSettings,
        report: Report | None = None,
    ) -> Member:
        """Fork a replica; it answers within hundredths of a second."""
        slot = next(n for n in range(MOST) if n not in self.members)
        self._slots.clear(slot)
        self._meters.clear(slot)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                forget_parent()
                self.selector.close()
                for descriptor in self.private:
                    os.close(descriptor)
                front = Front(self.folder, slot, self.listener, deployment, endpoint)
                status = front.run(stock, report or Report(None))
            except Exception:  # noqa: BLE001  # the rim of a process: the controller makes another
                _log.exception("a replica ended")
            finally:
                temporary.clear()
                os._exit(status)
        member = Member(slot, Process.of(pid), time.monotonic())
        self._watch(member)
        self.on_change()
        return member

    def take_away(
        self,
        member: Member,
        *,
        drain_s: float = DRAIN_S,
        otherwise: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Have one end when it has answered what its clients still send on their connections.

        When this returns it takes no further connection.  otherwise: sent to one that does not follow; it
        ends as soon as it can by default.
        """
        member.leaving = True
        self._tell(member, {"do": "stop", "drain_s": drain_s}, otherwise=otherwise)

    def replace(
        self,
        member: Member,
        stock: Assortment,
        deployment: DeploymentSettings,
        endpoint: EndpointSettings,
    ) -> None:
        """Put another in the place of one; when this returns only the other takes connections."""
        other = self.make(stock, deployment, endpoint)
        self._tell(other, {"do": "status"})
        self.take_away(member, otherwise=signal.SIGKILL)

    def tell_all(
        self, command: Mapping[str, Any], *, seconds: float = 5.0, leaving: bool = False
    ) -> None:
        """Give all a command; one that does not follow is ended, and replaced.

        leaving: also those that were told to end, which still answer on the connections they have.
        """
        for member in list(self.members.values()):
            if leaving or not member.leaving:
                self._tell(member, command, seconds=seconds)

    def _tell(
        self,
        member: Member,
        command: Mapping[str, Any],
        *,
        seconds: float = 5.0,
        otherwise: signal.Signals = signal.SIGKILL,
    ) -> None:
        until = time.monotonic() + START_S
        try:
            # One that is just being made takes no commands yet, which is no disobedience.
            while not member.heard:
                try:
                    tell(self.folder.front_control(member.slot), {"do": "status"}, seconds=seconds)
                except NoReplica:
                    if not member.process.is_alive or time.monotonic() > until:
                        raise
                    time.sleep(_PAUSE_S)
                else:
                    member.heard = True
            tell(self.folder.front_control(member.slot), command, seconds=seconds)
        except ModelwrightError as error:
            _log.warning("replica %d does not follow and is ended: %s", member.process.pid, error)
            member.process.send(otherwise)
            if otherwise is signal.SIGKILL:
                # What comes after relies on its answering nothing any more.
                member.process.bury(wait=True)

    def lost(self, member: Member) -> None:
        """Take note that one has ended."""
        if member.watch is not None:
            self.selector.unregister(member.watch)
            os.close(member.watch)
        member.process.bury()
        if (group := groups.of(member.process.pid)) is not None and group.ended:
            _log.warning("replica %d went over the memory it may have", member.process.pid)
        groups.sweep()
        self.members.pop(member.slot, None)
        self.retired += self._slots.figures(member.slot).answered
        self.folder.front_control(member.slot).unlink(missing_ok=True)
        if not member.leaving:
            now = time.monotonic()
            young = now - member.since < _YOUNG_S
            self._fallen = self._fallen + 1 if young else 0
            # The first is replaced at once; those that fall again and again, less and less eagerly.
            pause = min(_LONGEST_PAUSE_S, 0.1 * 2.0**self._fallen) if self._fallen > 1 else 0.0
            self._not_before = now + pause
            _log.warning("replica %d ended and is replaced in %.1f s", member.process.pid, pause)
        self.on_change()

    def counted(self) -> dict[object, list[Meter]]:
        """The meters of every replica, also of one that has ended since, while its slot is free."""
        at_work = {(m.slot, m.process.pid) for m in self.members.values()}
        gone = {key for key in self._seen if key[0] not in self.members}
        self._seen = at_work
        return {key: self._meters.read(key[0]) for key in at_work | gone}

    def look(self) -> float:
        """How many replicas' worth of processor time went into requests since the last look.

        What replicas use that nobody has asked anything is no load: they begin, wait, and end.
        """
        now = time.monotonic()
        seconds = max(1e-3, now - self._looked)
        self._looked = now
        busy = 0.0
        for member in list(self.members.values()):
            if member.watch is None and not member.process.is_alive:
                self.lost(member)
                continue
            spent = member.process.cpu_seconds()
            used = max(0.0, spent - member.cpu) / seconds
            member.cpu = spent
            if self._is_asked(member, now):
                # The clock of processor time ticks: a request may be answered between two ticks.
                busy += max(used, _SLIGHTLY)
        return busy

    def _is_asked(self, member: Member, now: float) -> bool:
        """Whether a replica has, or just had, requests to score; it tells that a moment later."""
        whole = self._meters.read(member.slot)[0]
        if whole.busy or whole.queued or whole.requests != member.requests:
            member.asked = now
        member.requests = whole.requests
        return now - member.asked <= _ASKED_S

    def spread(self) -> None:
        """Have replicas with many connections close some, so that their clients come to the others."""
        figures = self._figures()
        serving = [m for m in self.serving if m.slot in figures]
        if len(serving) < 2:
            return
        fair = sum(figures[m.slot].connections for m in serving) / len(serving)
        for member in serving:
            surplus = figures[member.slot].connections - fair
            if surplus > 1 + fair * 0.3:
                self._slots.shed(member.slot, int(surplus))

    def _figures(self) -> dict[int, Figures]:
        return {slot: self._slots.figures(slot) for slot in self.members}

    def _watch(self, member: Member) -> None:
        self.members[member.slot] = member
        member.requests = self._meters.read(member.slot)[0].requests
        if hasattr(os, "pidfd_open"):
            try:
                member.watch = os.pidfd_open(member.process.pid)
            except ProcessLookupError:
                return
            self.selector.register(member.watch, selectors.EVENT_READ, lambda: self.lost(member))
