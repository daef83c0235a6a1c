"""A replica of an endpoint as Ray Serve runs it: the same application that answers on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.serve.accompanied import Accompanied
from modelwright.serve.app import App, Receive, Scope, Send
from modelwright.serve.deployed import Part
from modelwright.serve.history import History
from modelwright.serve.keys import Lock
from modelwright.serve.limits import limit_memory, memory_bound
from modelwright.serve.live import Live
from modelwright.serve.meters import total
from modelwright.serve.on_ray.door import passed_on
from modelwright.serve.on_ray.keeping import sent_to
from modelwright.serve.settings import DeploymentSettings, EndpointSettings


def prefix_of(name: str) -> str:
    """Below which path of the cluster's address an endpoint answers."""
    return f"/api/v1/service/{name}"


class RayReplica:
    """Answers for one endpoint; it is ready when it has scored its sample rows."""

    def __init__(self, name: str, packages: Mapping[str, bytes]) -> None:
        """packages: the zips of the packaged pipelines, as deployments name them."""
        _log_where_ray_does()
        self._name = name
        self._prefix = prefix_of(name)
        self._app = App(name)
        self._folder = tempfile.TemporaryDirectory(prefix="ray-", dir=temporary.place())
        for package, content in packages.items():
            self._place(package).write_bytes(content)
        self._keys = Path(self._folder.name) / "keys.json"
        self._history = History()
        self._deployed: Accompanied | None = None
        self._keeping: asyncio.Task[None] | None = None

    def _place(self, package: str) -> Path:
        return Path(self._folder.name) / f"{Path(package).name}.zip"

    async def reconfigure(self, changed: Mapping[str, Any]) -> None:
        """Take shares, keys and settings; Ray Serve calls it before the first request, and when they change."""
        # Replicas are what Ray Serve scales, so a replica has no further processes than it needs.
        one = {"autoscale": False, "min_replicas": 1, "max_replicas": 1}
        parts = {
            int(number): Part(
                self._place(told["package"]),
                DeploymentSettings.read({**told["settings"], **one}),
                told["share"],
                told["shadow"],
            )
            for number, told in changed["deployments"].items()
        }
        endpoint = EndpointSettings.read(changed["endpoint"])
        if self._deployed is None:
            self._deployed = Accompanied(self._name, sent_to(self._name))
        await self._deployed.apply(parts, self._put)
        # Beyond what it has now, which includes Ray's own.
        limit_memory(changed["memory_gb"])
        if self._keeping is None:
            logging.getLogger("ray.serve").info("endpoint %s is ready", self._name)
            self._keeping = asyncio.create_task(self._keep_history())
        self._app.change(endpoint)
        self._keys.write_text(changed["keys"], encoding="utf-8")
        self._app.lock = Lock.read(self._keys).for_callers_of(self._name, endpoint.auth)

    def _put(self, live: Live) -> None:
        self._app.live = live

    def __serve_build_asgi_app__(self) -> Any:
        """What Ray Serve hands requests to; the name is its own."""

        # A method would be taken for an application of the older kind.
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await self._answer(scope, receive, send)

        return answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        path: str = scope.get("path", "")
        if path.startswith(self._prefix):
            scope = {**scope, "path": path[len(self._prefix) :] or "/"}
        await self._app(scope, receive, send)

    async def pass_on(self, scope: Scope, body: bytes) -> tuple[int, list[Any], bytes]:
        """Status, headers and body of the answer to a request that came whole to the door."""
        return await passed_on(self._answer, scope, body)

    async def __del__(self) -> None:
        """Hand on what is to be kept, and end the shadows; Ray Serve calls it."""
        if self._deployed is not None:
            await self._deployed.close()

    def figures(self) -> dict[str, Any]:
        """What it has answered and is doing."""
        live = self._app.live
        load_now = live.lane.load if live else None
        return {
            "answered": self._app.answered,
            "busy": load_now.busy if load_now else 0,
            "queued": load_now.queued if load_now else 0,
            "last": self._history.last(),
            "shadows": self._deployed.told() if self._deployed else [],
            "memory": memory_bound(),
        }

    async def seconds(self, since: float) -> list[dict[str, Any]]:
        """What it counted in each second after a moment, see `history.together`."""
        return self._history.counted_since(since)

    async def _keep_history(self) -> None:
        while True:
            load_now = self._app.live.lane.load if self._app.live else None
            # Copies: the meters of the application go on counting.
            meter = total([self._app.meter])
            if load_now is not None:
                meter.busy, meter.queued = load_now.busy, load_now.queued
            several = self._deployed.meters if self._deployed else []
            meters = [meter, *(total([one], one.number) for one in several)]
            self._history.note(time.time(), {0: meters}, replicas=1, wanted=1)
            await asyncio.sleep(1.0)


def _log_where_ray_does() -> None:
    """Have all that is logged here, and what scripts print, stand in the replica's log."""
    serve = logging.getLogger("ray.serve")
    own = logging.getLogger("modelwright")
    own.handlers, own.propagate = list(serve.handlers), False
    own.setLevel(logging.INFO)
    # Scoring processes and shadows print to where errors go; this process itself must not from here on,
    # or it would hear what it logs.
    aside = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")
    for handler in serve.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(aside)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)

    def hear() -> None:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                own.info("%s", line.rstrip())

    threading.Thread(target=hear, name="prints", daemon=True).start()


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
