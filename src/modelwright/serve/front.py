"""A replica that a controller has forked: it answers, and keeps an eye on its controller."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket

from modelwright.data.errors import ModelwrightError
from modelwright.serve.assortment import Assortment
from modelwright.serve.control import Control
from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.http import address_of
from modelwright.serve.limits import limit_memory
from modelwright.serve.meters import Meters
from modelwright.serve.processes import Process, start_apart
from modelwright.serve.replica import Replica, Report, loop_factory
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.slots import MOST, Figures, Slots

_TICK = 0.1
_NEW_CONTROLLER_S = 0.3

_log = logging.getLogger("modelwright.replica")


class Front:
    """One replica of an endpoint; made in the forked process."""

    def __init__(
        self,
        folder: EndpointFolder,
        slot: int,
        listener: socket.socket,
        deployment: DeploymentSettings,
        endpoint: EndpointSettings,
    ) -> None:
        self._folder = folder
        self._slot = slot
        self._listener = listener
        self._deployment = deployment
        self._endpoint = endpoint

    def run(self, stock: Assortment, report: Report) -> int:
        """Answer until told to stop; the status to exit with."""
        try:
            limit_memory(self._deployment.memory_reserve_gb)
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._serve(stock, report))
        except ModelwrightError as error:
            _log.error("%s", error)
            report.failed(error)
            return 2
        return 0

    async def _serve(self, stock: Assortment, report: Report) -> None:
        replica = Replica(self._folder.name, endpoint=self._endpoint, keys_file=self._folder.keys)
        replica.app.metrics = self._folder.exposed
        await replica.hold(await stock.deployed())
        control = Control(replica)
        await control.open(self._folder.front_control(self._slot))
        # The listener of its own is closed when it stops listening; the other is for an heir.
        heir = os.dup(self._listener.fileno())
        minding = [
            asyncio.create_task(self._exchange_figures(replica)),
            asyncio.create_task(self._mind_controller(replica, heir)),
        ]
        host, port = address_of(self._listener)
        name = self._folder.name
        scheme = "https" if self._endpoint.tls_certificate else "http"
        _log.info("answering on %s://%s:%d/api/v1/service/%s/score", scheme, host, port, name)
        report.ready(host, port)
        try:
            await replica.serve(self._listener)
        finally:
            for task in minding:
                task.cancel()
            await control.close()

    async def _exchange_figures(self, replica: Replica) -> None:
        slots = Slots(self._folder.slots)
        meters = Meters(self._folder.meters, slots=MOST)
        app, state = replica.app, replica.server.server_state

        def say() -> None:
            slots.say(self._slot, Figures(app.answered, len(state.connections)))
            meters.write(self._slot, replica.meters)

        while True:
            say()
            app.shed += slots.asked_to_shed(self._slot)
            try:
                await asyncio.sleep(_TICK)
            except asyncio.CancelledError:
                # What was answered last counts as well.
                say()
                raise

    async def _mind_controller(self, replica: Replica, listener: int) -> None:
        """Start another controller when the one there is ends without having been told to."""
        while True:
            found = self._folder.found()
            if found is not None and found.controller.is_alive:
                await _ended(found.controller)
            if not self._is_wanted():
                replica.stop()
                return
            _log.warning("the controller is gone; starting another")
            # Of several replicas the first wins; the others' controllers find the place taken.
            await asyncio.sleep(0.02 * (self._slot % 10))
            found = self._folder.found()
            if found is None or not found.controller.is_alive:
                start_apart(
                    self._folder.controller_command(listener),
                    dict(os.environ),
                    hands_over=[listener],
                )
            await asyncio.sleep(_NEW_CONTROLLER_S)

    def _is_wanted(self) -> bool:
        with contextlib.suppress(ModelwrightError, ValueError):
            return self._folder.wanted().running
        return False


async def _ended(process: Process) -> None:
    """Wait until a process has ended."""
    if not hasattr(os, "pidfd_open"):
        while process.is_alive:  # noqa: ASYNC110  # this system tells nobody
            await asyncio.sleep(_NEW_CONTROLLER_S)
        return
    try:
        watch = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(watch, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(watch)
        os.close(watch)


def forget_parent() -> None:
    """Undo in a forked process what the controller has set up for itself."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
