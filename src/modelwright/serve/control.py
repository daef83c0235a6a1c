"""Commands to a replica over a Unix socket: one line of JSON each way."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.data.errors import ModelwrightError
from modelwright.serve.collected_files import lacking
from modelwright.serve.limits import limit_memory, memory_bound
from modelwright.serve.settings import DeploymentSettings, EndpointSettings

if TYPE_CHECKING:
    from modelwright.serve.replica import Replica

_LONGEST_LINE = 1_000_000

_log = logging.getLogger("modelwright.replica")


class NoReplica(ModelwrightError):
    """Nobody answers where a replica should take commands."""

    code = "no-replica"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"No replica takes commands at {path}: {why}.",
            remedy="Start the endpoint with: modelwright up.",
            path=str(path),
            why=why,
        )


class Control:
    """The replica's side: it takes commands from whoever may open the socket, its owner only."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._commands: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]] = {
            "status": self._status,
            "measurements": self._measurements,
            "collected": self._collected,
            "apply": self._apply,
            "deploy": self._deploy,
            "change": self._change,
            "stop": self._stop,
        }

    async def open(self, path: Path) -> None:
        """Begin to listen; a socket that an earlier process left there is replaced."""
        self._server = await asyncio.start_unix_server(
            self._converse, sock=private_socket(path), limit=_LONGEST_LINE
        )
        self._path = path

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None and self._path is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._told(line), default=str).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # The other side went away, or sends lines without end.
            pass
        finally:
            writer.close()

    async def _told(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
            return await self._commands[command["do"]](command)
        except ModelwrightError as error:
            return {"error": error.to_json()}
        except Exception as error:  # noqa: BLE001  # the rim of a replica: its starter is told
            _log.exception("command failed: %r", line[:200])
            what = {"happened": f"The command failed: {error}.", "remedy": "See the log."}
            return {"error": {"code": "internal-error", "fields": {}, **what}}

    async def _status(self, command: Mapping[str, Any]) -> dict[str, Any]:
        app = self._replica.app
        live = app.live
        return {
            "pid": os.getpid(),
            "name": app.name,
            "answered": app.answered,
            "connections": len(self._replica.server.server_state.connections),
            "leaving": self._replica.server.should_exit,
            "package": live.package.digest if live else None,
            "settings": live.settings.to_json() if live else None,
            "busy": live.lane.load.busy if live else 0,
            "queued": live.lane.load.queued if live else 0,
            "slots": live.lane.load.slots if live else 0,
            "workers": live.lane.pids if live else [],
            "steps": [s.to_json() for s in live.package.plan.steps] if live else [],
            "recent": self._replica.history.recent(),
            "shadows": self._replica.shadows,
            "memory": memory_bound(),
        }

    async def _measurements(self, command: Mapping[str, Any]) -> dict[str, Any]:
        return {"samples": self._replica.history.since(float(command["since"]))}

    async def _collected(self, command: Mapping[str, Any]) -> dict[str, Any]:
        folder = self._replica.collected
        if folder is None:
            return {"pieces": []}
        return await asyncio.to_thread(lacking, folder, command)

    async def _deploy(self, command: Mapping[str, Any]) -> dict[str, Any]:
        settings = DeploymentSettings.read(command.get("settings", {}))
        nursery = Path(command["nursery"]) if command.get("nursery") else None
        await self._replica.deploy(Path(command["package"]), settings, nursery)
        return await self._status(command)

    async def _apply(self, command: Mapping[str, Any]) -> dict[str, Any]:
        await self._replica.apply(command["deployments"])
        if "memory_gb" in command:
            limit_memory(command["memory_gb"])
        return await self._status(command)

    async def _change(self, command: Mapping[str, Any]) -> dict[str, Any]:
        if "settings" in command:
            await self._replica.change(DeploymentSettings.read(command["settings"]))
        if "endpoint" in command:
            await self._replica.change_endpoint(EndpointSettings.read(command["endpoint"]))
        return await self._status(command)

    async def _stop(self, command: Mapping[str, Any]) -> dict[str, Any]:
        self._replica.server.drain_s = float(command.get("drain_s", 0.0))
        await self._replica.server.cease()
        return {"pid": os.getpid()}


def tell(path: Path, command: Mapping[str, Any], *, seconds: float = 5.0) -> dict[str, Any]:
    """Give a replica a command and wait for what it says.

    Raises NoReplica, and the error that the replica answers with.
    """
    try:
        with connected(path) as channel, channel.makefile("rb") as lines:
            channel.settimeout(seconds)
            channel.sendall(json.dumps(dict(command)).encode() + b"\n")
            line = lines.readline()
    except TimeoutError:
        raise NoReplica(path, f"it did not answer within {seconds:g} s") from None
    except OSError as error:
        raise NoReplica(path, error.strerror or str(error)) from None
    if not line:
        raise NoReplica(path, "it ended before it answered")
    said: dict[str, Any] = json.loads(line)
    if "error" in said:
        raise ModelwrightError.from_json(said["error"])
    return said


def private_socket(path: Path) -> socket.socket:
    """A Unix socket at the path that its owner alone may connect to."""
    path.unlink(missing_ok=True)
    former = os.umask(0o177)
    try:
        return _at(path, socket.socket.bind)
    finally:
        os.umask(former)


def connected(path: Path) -> socket.socket:
    """A connection to the Unix socket at the path.  Raises OSError."""
    return _at(path, socket.socket.connect)


def _at(path: Path, join: Callable[[socket.socket, str], object]) -> socket.socket:
    """A Unix socket bound or connected to a path of any length.

    An address holds about 100 bytes, so the folder is named by a descriptor where there is a way to.
    """
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if len(os.fsencode(path)) < 100:
            join(channel, str(path))
            return channel
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            join(channel, f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
    except BaseException:
        channel.close()
        raise
    return channel
