"""A process that answers the requests of one endpoint.

python -m modelwright.serve.replica PACKAGE --port 8080 --keys-file keys.json
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import gc
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.serve.accompanied import Accompanied
from modelwright.serve.app import App
from modelwright.serve.certificates import shown_by
from modelwright.serve.control import Control
from modelwright.serve.deployed import Deployed, Part
from modelwright.serve.errors import AddressTaken, InvalidSetting, NoKeys
from modelwright.serve.history import History
from modelwright.serve.http import BACKLOG, Server, address_of, bound
from modelwright.serve.keeping import kept_in
from modelwright.serve.keys import Lock
from modelwright.serve.live import Live
from modelwright.serve.loading import load
from modelwright.serve.logs import log_to
from modelwright.serve.meters import Meter, total
from modelwright.serve.settings import DeploymentSettings, EndpointSettings

DEFAULT_PORT = 8080

_SAMPLE_S = 1.0

_log = logging.getLogger("modelwright.replica")


class Replica:
    """One App on one listening socket, and what can be told to it while it serves.

    door: a copy of that socket where the replica itself changes to TLS, to another certificate or back;
    None where its controller puts another replica in its place.  collected: where it keeps requests
    and replies itself.
    """

    def __init__(
        self,
        name: str,
        *,
        endpoint: EndpointSettings,
        keys_file: Path | None,
        drain_s: float = 0.0,
    ) -> None:
        lock = _lock(keys_file, name, endpoint)
        self.app = App(name, lock=lock, settings=endpoint)
        self.server = Server(self.app, drain_s=drain_s)
        self.deployed: Deployed | Accompanied | None = None
        # Where there is a controller it keeps the history of all replicas, and this one stays empty.
        self.history = History()
        self.door: socket.socket | None = None
        self.collected: Path | None = None
        self._shown = shown_by(endpoint)
        self._keys_file = keys_file
        self._changing = asyncio.Lock()

    async def deploy(
        self, package: Path, settings: DeploymentSettings, nursery: Path | None = None
    ) -> None:
        """Serve a package from now on; what served before finishes what it has begun.

        nursery: where its scoring processes are made; it starts its own for None.  Raises as `load`; then the former one serves on.
        """
        async with self._changing:
            await self.put(await load(self.app.name, package, settings, nursery))

    async def put(self, new: Live) -> None:
        """Serve a deployment from now on; what served before finishes what it has begun."""
        old, self.app.live = self.app.live, new
        _log.info("serving %s", new.package.digest)
        if old is not None:
            await old.lane.close()

    @property
    def meters(self) -> list[Meter]:
        """What was counted: of the whole replica, then of each deployment where there are several."""
        whole, live = self.app.meter, self.app.live
        if live is not None:
            load = live.lane.load
            whole.busy, whole.queued, whole.workers = load.busy, load.queued, len(live.lane.pids)
        return [whole, *(self.deployed.meters if self.deployed else ())]

    @property
    def shadows(self) -> list[dict[str, Any]]:
        """What its own shadows have found; those of a replica with a controller are the controller's."""
        return self.deployed.told() if isinstance(self.deployed, Accompanied) else []

    async def hold(self, deployed: Deployed) -> None:
        """Serve deployments from now on, each with its share of the requests."""
        self.deployed = deployed
        if deployed.live is not None:
            await self.put(deployed.live)

    async def apply(self, wanted: Mapping[str, Any]) -> None:
        """Serve other deployments from now on, told by number as `Part.to_json` has them.

        Raises as `load`; then nothing has changed.
        """
        parts = {int(number): Part.from_json(part) for number, part in wanted.items()}
        if self.deployed is None:
            self.deployed = Deployed(self.app.name)
        await self.deployed.apply(parts, self._show)

    def _show(self, live: Live) -> None:
        self.app.live = live
        _log.info("serving %s", live.package.digest)

    async def change(self, settings: DeploymentSettings) -> None:
        """Take other settings for what is deployed."""
        if self.app.live is not None:
            self.app.live.change(settings)

    async def change_endpoint(self, settings: EndpointSettings) -> None:
        """Take other settings of the endpoint, and read its keys again.  Raises MalformedKeys."""
        lock = _lock(self._keys_file, self.app.name, settings)
        self.app.change(settings)
        self.app.lock = lock
        if self.door is not None and (shown := shown_by(settings)) != self._shown:
            await self.server.reopen(self.door)
            self._shown = shown
            _log.info("answering %s from now on", "over TLS" if shown else "without TLS")

    async def serve(self, listener: socket.socket) -> None:
        """Answer until told to stop; requests in work are finished."""
        # Requests leave no cycles behind: to look for some after every few would cost more than scoring.
        gc.set_threshold(50_000, 20, 20)
        try:
            await self.server.serve(sockets=[listener])
        finally:
            live: Live | None = self.app.live
            if live is not None:
                await live.lane.close()

    async def keep_history(self) -> None:
        """Take note of every second, until cancelled; for a replica that has no controller."""
        while True:
            # Copies: those of the replica go on counting.
            meters = [total([meter], meter.number) for meter in self.meters]
            self.history.note(
                time.time(), {0: meters}, replicas=1, wanted=1, processes=meters[0].workers
            )
            await asyncio.sleep(_SAMPLE_S)

    def stop(self) -> None:
        """Begin to stop."""
        self.server.should_exit = True


def _lock(keys_file: Path | None, name: str, endpoint: EndpointSettings) -> Lock | None:
    """What callers have to open.  Raises MalformedKeys."""
    if keys_file is None or endpoint.auth == "none":
        return None
    return Lock.read(keys_file).for_callers_of(name, endpoint.auth)


def main(arguments: list[str] | None = None) -> int:
    """Serve a package until SIGTERM or SIGINT; status 2 when it cannot be served."""
    wanted = _arguments().parse_args(arguments)
    log_to(wanted.log_file)
    report = Report(wanted.report)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_run(wanted, report))
    except ModelwrightError as error:
        _log.error("%s", error)
        report.failed(error)
        return 2
    return 0


class Report:
    """Tells whoever started the process, on a pipe, what became of it: one line of JSON."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def ready(self, host: str, port: int) -> None:
        """It answers there."""
        self._write({"pid": os.getpid(), "host": host, "port": port})

    def failed(self, error: ModelwrightError) -> None:
        """It does not answer."""
        self._write({"error": error.to_json()})

    def leave_to_another(self) -> None:
        """Say nothing: a forked process has the descriptor as well, and does."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, value: dict[str, Any]) -> None:
        if self._descriptor is None:
            return
        # Whoever started it may have gone; that is no reason not to serve.
        with contextlib.suppress(BrokenPipeError), os.fdopen(self._descriptor, "w") as pipe:
            pipe.write(json.dumps(value, default=str) + "\n")
        self._descriptor = None


async def _run(wanted: argparse.Namespace, report: Report) -> None:
    settings = _settings(wanted.settings_file)
    endpoint = EndpointSettings.read({**settings.get("endpoint", {}), **_auth(wanted)})
    if endpoint.auth != "none" and wanted.keys_file is None:
        raise NoKeys
    replica = Replica(wanted.name, endpoint=endpoint, keys_file=wanted.keys_file)
    # Bound first, so that a taken port is known at once; heard from only when it can answer.
    listener = _bound(wanted)
    several = settings.get("deployments")
    if several:
        replica.deployed = Accompanied(wanted.name, kept_in(wanted.collected))
        await replica.apply(several)
    else:
        deployment = DeploymentSettings.read(settings.get("deployment", {}))
        await replica.deploy(wanted.package, deployment)
    # What is loaded stays: looking through it again and again would find nothing.
    gc.collect()
    gc.freeze()
    listener.listen(BACKLOG)
    replica.door, replica.collected = listener.dup(), wanted.collected
    host, port = address_of(listener)
    control = Control(replica)
    if wanted.control is not None:
        await control.open(wanted.control)
    scheme = "https" if endpoint.tls_certificate else "http"
    _log.info("answering on %s://%s:%d/api/v1/service/%s/score", scheme, host, port, wanted.name)
    report.ready(host, port)
    keeping = asyncio.create_task(replica.keep_history())
    try:
        await replica.serve(listener)
    finally:
        keeping.cancel()
        replica.door.close()
        await control.close()
        if isinstance(replica.deployed, Accompanied):
            await replica.deployed.close()


def _bound(wanted: argparse.Namespace) -> socket.socket:
    if wanted.fd is not None:
        return socket.socket(fileno=wanted.fd)
    if not 0 <= wanted.port <= 65_535:
        raise InvalidSetting("port", wanted.port, "a number from 0 to 65535")
    try:
        return bound(wanted.host, wanted.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(wanted.host, wanted.port) from None
        raise InvalidSetting(
            "host", wanted.host, f"an address of this machine ({error.strerror})"
        ) from None


def _settings(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSetting("settings-file", str(path), f"a JSON file ({error})") from None
    if not isinstance(value, dict):
        raise InvalidSetting("settings-file", str(path), "a JSON object")
    return value


def _auth(wanted: argparse.Namespace) -> dict[str, str]:
    return {} if wanted.auth is None else {"auth": wanted.auth}


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The fastest event loop there is here."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m modelwright.serve.replica", description=__doc__)
    parser.add_argument("package", type=Path, help="folder or .zip of a packaged pipeline")
    parser.add_argument("--name", default="service", help="name in the address")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 for any free one")
    parser.add_argument("--keys-file", type=Path, help='JSON file {"primary": …, "secondary": …}')
    parser.add_argument("--auth", choices=("keys", "none"), help="none lets everybody call it")
    parser.add_argument(
        "--settings-file",
        type=Path,
        help='JSON file {"deployment": {…}, "endpoint": {…}}, or "deployments" by number',
    )
    parser.add_argument("--log-file", type=Path, help="log there, turned over, not to stderr")
    parser.add_argument(
        "--collected",
        type=Path,
        default=Path("collected"),
        help="folder for the requests and replies that deployments keep",
    )
    parser.add_argument("--control", type=Path, help="Unix socket on which it takes commands")
    parser.add_argument("--fd", type=int, help="listen on this inherited socket")
    parser.add_argument("--report", type=int, help="descriptor to tell the outcome of the start on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
