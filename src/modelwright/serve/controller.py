"""A process that keeps an endpoint as it is wanted: it has the listening socket and makes the replicas.

    python -m modelwright.serve.controller FOLDER

It answers no request itself.  When it ends unasked, its replicas go on and start another one, which adopts them.
It has one thread and no event loop, so that forking is safe.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.serve.assortment import Assortment, together
from modelwright.serve.attendants import Attendants, ways
from modelwright.serve.control import NoReplica, private_socket, tell
from modelwright.serve.copies import Onlooking
from modelwright.serve.endpoint_folder import EndpointFolder, Found, Served, Wanted
from modelwright.serve.errors import AddressTaken, InvalidSetting
from modelwright.serve.exposition import exposition
from modelwright.serve.fleet import Fleet
from modelwright.serve.front import forget_parent
from modelwright.serve.history import History
from modelwright.serve.http import BACKLOG, address_of, bound
from modelwright.serve.logs import log_to, turn_over
from modelwright.serve.meters import Meter, Meters, total
from modelwright.serve.processes import Process
from modelwright.serve.replica import Report
from modelwright.serve.room import Room
from modelwright.serve.scaling import Load, Policy, Seen, decide
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.slots import MOST
from modelwright.serve.stages import note_stage

STOP_S = 30.0
"""How long replicas may take to answer what they have begun before they are killed."""

READY_S = 60.0
"""How long the first replica may take."""

_TICK = 0.2
_LOG_TICK = 5.0
_SAMPLE_TICK = 1.0

_log = logging.getLogger("modelwright.controller")


class Controller:
    """The loop that makes an endpoint what is wanted of it."""

    def __init__(
        self, folder: EndpointFolder, listener: socket.socket, wanted: Wanted, reign: int
    ) -> None:
        """reign: the descriptor whose lock says that there is one controller only."""
        self.folder = folder
        self.endpoint = EndpointSettings.read(wanted.endpoint)
        self.settings = together(
            [DeploymentSettings.read(d.settings) for d in wanted.deployments.values()]
        )
        self._certificate = _certificate(self.endpoint)
        self.room = Room(folder, wanted.cluster)
        self.meters = Meters(folder.meters, slots=MOST)
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.fleet = Fleet(folder, listener, self.selector, self._note, [reign])
        self.attendants = Attendants(folder, self._forget)
        self.shelf: Assortment | None = None
        self.history = History()
        self._exposed = ""
        self.message = ""
        self._stopping = False
        self._unnoted = False
        self._seen = Seen(max(1, self.settings.min_replicas))
        self._looked = self._logged = self._sampled = time.monotonic()
        self._nurseries: list[Process] = []
        # From here on it can be told things, though it listens only when it has loaded its package.
        self._signals = self._listen_to_signals()
        self._control = private_socket(folder.control)
        self._control.listen()
        self._control.setblocking(False)
        self.fleet.private.append(self._control.fileno())
        self.selector.register(self._control, selectors.EVENT_READ, self._converse)

    def adopt(self, found: Found) -> None:
        """Take over what an earlier controller has left."""
        self.fleet.adopt(found.fronts)
        self._nurseries = list(found.nurseries)
        self._seen = Seen(max(1, len(self.fleet.serving)))
        self._note()

    def load(self, served: Mapping[int, Served]) -> None:
        """Make these deployments the ones that replicas are made of.

        Raises Unschedulable, and as `Assortment.load`; then what there was before stays.
        """
        former = self.shelf
        onlookers = Onlooking(ways(self.folder))
        shelf = Assortment.load(self.folder, served, former, onlookers)
        note_stage(self.folder.path, "start")
        try:
            self.room.admit(shelf, self._seen.replicas if former else 1)
        except ModelwrightError:
            shelf.end(but=former)
            raise
        self.shelf, self.settings = shelf, shelf.settings
        self._scale(0.0)
        self.message = ""
        # Pages that the collector does not touch stay shared with the replicas.
        gc.collect()
        gc.freeze()

    def instruct(self) -> None:
        """Have adopted replicas serve what is wanted, whatever an earlier controller was about to do."""
        self.fleet.tell_all(self._parts(), seconds=READY_S)
        self._tell_endpoint()
        self._end_nursery(None)

    def first(self, report: Report) -> None:
        """Make the first replica, which tells whether it answers."""
        if self.shelf is None or self.fleet.serving:
            report.ready(*address_of(self.listener))
            return
        self.attendants.keep(self.shelf)
        # A replica that finds no living controller starts one, so this one is known before the first.
        self._note()
        self.fleet.wanted = 1
        self.fleet.make(self.shelf, self.settings, self.endpoint, report)
        report.leave_to_another()

    def run(self) -> None:
        """Keep the endpoint until told to stop."""
        while not self._stopping:
            self._turn()
        self._stop()
        self._control.close()
        self.folder.control.unlink(missing_ok=True)

    def _turn(self) -> None:
        self._keep()
        for key, _ in self.selector.select(_TICK):
            key.data()
        now = time.monotonic()
        if now - self._looked >= self.settings.refresh_period_s:
            self._looked = now
            self._scale(self.fleet.look())
            self.fleet.spread()
            if self._unnoted:
                self._note()
            try:
                self._fit()
            except OSError as error:
                _log.error("nothing can be reserved on the cluster: %s", error)
        if now - self._sampled >= _SAMPLE_TICK:
            self._sampled = now
            self._sample()
        if now - self._logged >= _LOG_TICK:
            self._logged = now
            self._renew()
            turn_over(self.folder.log)

    def _sample(self) -> None:
        """Take note of the last second, and show it to whoever asks a replica for its metrics."""
        replicas, wanted = len(self.fleet.serving), self._seen.replicas
        counted = self.fleet.counted()
        processes = self._total().workers
        self.history.note(
            time.time(), counted, replicas=replicas, wanted=wanted, processes=processes
        )
        text = exposition(
            self.folder.name, self.history.whole, replicas=processes or replicas, wanted=wanted
        )
        if text != self._exposed:
            self._exposed = text
            # A full disk must not end it.
            with contextlib.suppress(OSError):
                draft = self.folder.exposed.with_suffix(".draft")
                draft.write_text(text, encoding="utf-8")
                draft.replace(self.folder.exposed)

    def _keep(self) -> None:
        if self.shelf is not None and not self.shelf.is_compiled:
            # Its replica scales the scoring processes by itself.
            self.fleet.wanted = 1
        else:
            self.fleet.wanted = min(self._seen.replicas, self.room.replicas)
        self.attendants.keep(self.shelf)
        self.fleet.keep(self.shelf, self.settings, self.endpoint)
        self._wait_for_clients(not self.fleet.members and self.fleet.wanted == 0)

    def _fit(self) -> None:
        """Reserve what the load needs, as far as there is room on the cluster."""
        if self.shelf is None:
            return
        before = self.room.limit
        self.room.take(self.shelf, self._seen.replicas, self._total().workers)
        if self.room.limit != before and not self.shelf.is_compiled:
            self.fleet.tell_all(self._parts())

    def _wait_for_clients(self, nobody_serves: bool) -> None:
        """While there is no replica, look oneself whether a client knocks."""
        watched = self.listener in self.selector.get_map()
        if nobody_serves and not watched:
            self.selector.register(self.listener, selectors.EVENT_READ, self._wake)
        elif not nobody_serves and watched:
            self.selector.unregister(self.listener)

    def _wake(self) -> None:
        self._scale(0.0, knocking=True)

    def _scale(self, busy: float, *, knocking: bool = False) -> None:
        policy = Policy.of(self.settings)
        # A replica of formulas does one thing at a time, however many requests it has taken in.
        policy = Policy(policy.minimum, policy.maximum, policy.target, 1, policy.calm_s)
        load = Load(busy, 1.0 if knocking else 0.0)
        former = self._seen.replicas
        self._seen = decide(self._seen, load, policy, time.monotonic())
        if self._seen.replicas != former:
            _log.info("%d replicas wanted, %.2f busy", self._seen.replicas, busy)
            self._fit()

    def _renew(self) -> None:
        """Put other replicas in place of those that have another certificate, or none."""
        found = _certificate(self.endpoint)
        if found == self._certificate:
            return
        try:
            self.endpoint.check()
        except InvalidSetting as error:
            # Half of the two is written, as a rule; the replicas at work have the former ones.
            _log.warning("the certificate has changed and cannot be used yet: %s", error)
            return
        self._certificate = found
        if self.shelf is None or not self.fleet.serving:
            return
        _log.info("the certificate has changed; replicas are replaced one after another")
        for member in self.fleet.serving:
            self.fleet.replace(member, self.shelf, self.settings, self.endpoint)

    def _forget(self) -> None:
        """Close in a forked process what only the controller may have."""
        forget_parent()
        self.selector.close()
        self.listener.close()
        for descriptor in self.fleet.private:
            os.close(descriptor)

    def _listen_to_signals(self) -> tuple[socket.socket, socket.socket]:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self.selector.register(ours, selectors.EVENT_READ, self.stop)
        return ours, theirs

    def stop(self) -> None:
        """Begin to stop."""
        self._stopping = True

    def _stop(self) -> None:
        """End all replicas, when they have answered what they have begun."""
        until = time.monotonic() + STOP_S
        self.listener.close()
        for member in self.fleet.members.values():
            self.fleet.take_away(member, drain_s=0.0)
        while self.fleet.members:
            for key, _ in self.selector.select(_TICK):
                key.data()
            self.fleet.look()
            if time.monotonic() > until:
                for member in self.fleet.members.values():
                    member.process.send(signal.SIGKILL)
        self.attendants.end()
        self._end_nursery(self.shelf)
        self.room.give_back()
        self.folder.note(None)
        temporary.sweep()

    def _end_nursery(self, shelf: Assortment | None) -> None:
        if shelf is not None:
            shelf.end()
        # Of an earlier controller; processes they have made for replicas at work go on.
        for process in self._nurseries:
            process.send(signal.SIGKILL)
        self._nurseries = []

    def _note(self) -> None:
        host, port = address_of(self.listener) if self.listener.fileno() >= 0 else ("", 0)
        stocks = self.shelf.stocks.values() if self.shelf else ()
        nurseries = [stock.nursery.process for stock in stocks if stock.nursery]
        nurseries += [*self._nurseries, *self.attendants.processes]
        fronts = {m.slot: m.process for m in self.fleet.members.values()}
        if not self._stopping:
            found = Found(Process.of(os.getpid()), host, port, fronts, tuple(nurseries))
            try:
                self.folder.note(found)
            except OSError as error:
                # Whoever calls is answered all the same; it is noted when there is room again.
                _log.error("what serves cannot be noted: %s", error)
                self._unnoted = True
            else:
                self._unnoted = False

    def _converse(self) -> None:
        try:
            channel, _ = self._control.accept()
        except BlockingIOError:
            return
        with channel, channel.makefile("rb") as lines:
            channel.settimeout(2)
            try:
                answer = self._told(json.loads(lines.readline() or b"{}"))
                channel.sendall(json.dumps(answer, default=str).encode() + b"\n")
            except (OSError, ValueError):
                _log.warning("somebody connected and said nothing that makes sense")

    def _told(self, command: Mapping[str, Any]) -> dict[str, Any]:
        try:
            match command.get("do"):
                case "status":
                    return self._status()
                case "measurements":
                    return {"samples": self.history.since(command["since"])}
                case "apply":
                    return self._apply(command)
                case "change":
                    return self._change(command)
                case "stop":
                    self.stop()
                    return {"pid": os.getpid()}
            return {"error": InvalidSetting("do", command.get("do"), "a command").to_json()}
        except ModelwrightError as error:
            return {"error": error.to_json()}
        except Exception as error:  # noqa: BLE001  # the rim of a process: its user is told
            _log.exception("a command failed")
            what = {"happened": f"The command failed: {error}.", "remedy": "See the log."}
            return {"error": {"code": "internal-error", "fields": {}, **what}}

    def _apply(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Serve other deployments, then end what is left out."""
        endpoint = EndpointSettings.read(command["endpoint"])
        former = self.shelf
        self.load({int(n): Served(**one) for n, one in command["deployments"].items()})
        self.endpoint = endpoint
        self._keep()
        self.fleet.tell_all(self._parts(), seconds=READY_S)
        self._tell_endpoint()
        self._renew()
        if former is not None:
            former.end(but=self.shelf)
        self._end_nursery(None)
        self._note()
        return self._status()

    def _parts(self) -> dict[str, Any]:
        """What replicas are told of their deployments."""
        parts = self.shelf.parts if self.shelf else {}
        return {
            "do": "apply",
            "deployments": {str(n): self.room.limited(p).to_json() for n, p in parts.items()},
            "memory_gb": self.settings.memory_reserve_gb,
        }

    def _change(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Take other settings of the endpoint, and its keys."""
        self.endpoint = EndpointSettings.read(command["endpoint"])
        self._tell_endpoint()
        self._renew()
        return self._status()

    def _tell_endpoint(self) -> None:
        """Have the settings of the endpoint, and its keys, count in every replica that still answers."""
        change = {"do": "change", "endpoint": self.endpoint.to_json()}
        self.fleet.tell_all(change, leaving=True)

    def _status(self) -> dict[str, Any]:
        leading = self.shelf.stocks[self.shelf.leading].package if self.shelf else None
        found: dict[str, Any] = {
            "pid": os.getpid(),
            "package": leading.digest if leading else None,
            "deployments": self._deployments(),
            "replicas": [m.process.pid for m in self.fleet.serving],
            "answered": self.fleet.retired,
            "busy": 0,
            "queued": 0,
            "workers": [],
            "steps": [s.to_json() for s in leading.plan.steps] if leading else [],
            "falling": self.fleet.is_falling,
            "message": self.message or self.room.message or self._fall(),
            "recent": self.history.recent(),
            "memory": {},
        }
        for member in self.fleet.serving:
            try:
                said = tell(self.folder.front_control(member.slot), {"do": "status"}, seconds=2)
            except NoReplica:
                continue
            found["answered"] += said["answered"]
            found["busy"] += said["busy"]
            found["queued"] += said["queued"]
            found["workers"] += said["workers"]
            # A replica that began under an earlier version does not tell.
            found["memory"] = said.get("memory", {})
        return found

    def _fall(self) -> str:
        if not self.fleet.is_falling:
            return ""
        return "Its replicas end soon after they began, again and again; its log may tell why."

    def _total(self) -> Meter:
        """What all replicas have counted together."""
        return total(self.meters.read(slot)[0] for slot in self.fleet.members)

    def _deployments(self) -> list[dict[str, Any]]:
        if self.shelf is None:
            return []
        return [
            {
                "number": number,
                "package": self.shelf.stocks[number].package.digest,
                "share": part.share,
                "shadow": part.shadow,
                "settings": part.settings.to_json(),
                "compared": self.attendants.compared(number) if part.shadow else None,
            }
            for number, part in sorted(self.shelf.parts.items())
        ]


def _certificate(endpoint: EndpointSettings) -> object:
    """What changes when an endpoint gets another certificate, also in the same files."""
    files = (endpoint.tls_certificate, endpoint.tls_key)
    try:
        return [(file, os.stat(file).st_mtime_ns) for file in files if file]
    except OSError:
        # It is being written anew; the next look finds it.
        return None


def main(arguments: list[str] | None = None) -> int:
    """Control an endpoint until told to stop; status 2 when it cannot be served."""
    parser = argparse.ArgumentParser("python -m modelwright.serve.controller", description=__doc__)
    parser.add_argument("folder", type=Path, help="the endpoint's folder")
    parser.add_argument("--fd", type=int, help="an inherited listening socket")
    parser.add_argument("--report", type=int, help="descriptor to tell the outcome of the start on")
    chosen = parser.parse_args(arguments)
    folder = EndpointFolder(chosen.folder.parent, chosen.folder.name)
    log_to(folder.log)
    report = Report(chosen.report)
    reign = os.open(folder.reign, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(reign, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.info("another controller is there already")
        return 0
    try:
        _control(folder, chosen.fd, report, reign)
    except ModelwrightError as error:
        _log.error("%s", error)
        report.failed(error)
        return 2
    return 0


def _control(folder: EndpointFolder, descriptor: int | None, report: Report, reign: int) -> None:
    wanted = folder.wanted()
    listener = _listener(wanted, descriptor)
    controller = Controller(folder, listener, wanted, reign)
    found = folder.found()
    if found is not None and descriptor is not None:
        controller.adopt(found)
    if wanted.running:
        try:
            controller.load(wanted.deployments)
            controller.instruct()
        except ModelwrightError as error:
            if not controller.fleet.serving:
                raise
            # What serves goes on serving; only no further replica can be made.
            controller.message = str(error)
            _log.error("%s", error)
        listener.listen(BACKLOG)
        controller.first(report)
    else:
        controller.stop()
    controller.run()


def _listener(wanted: Wanted, descriptor: int | None) -> socket.socket:
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    try:
        return bound(wanted.host, wanted.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(wanted.host, wanted.port) from None
        why = f"an address of this machine ({error.strerror})"
        raise InvalidSetting("host", wanted.host, why) from None


if __name__ == "__main__":
    sys.exit(main())
