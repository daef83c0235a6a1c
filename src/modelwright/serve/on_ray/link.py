"""The line to the process that speaks to a Ray cluster; one for each address, kept while this process lives."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError

_CONNECT_S = 60.0


class RayUnreachable(ModelwrightError):
    """A Ray cluster does not answer."""

    code = "ray-cluster-unreachable"

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"No Ray cluster answers at {address}: {why}.",
            remedy="Start it with: ray start --head; give its address as the option address of the "
            "inference cluster, and install the extra modelwright[ray] in the cluster's version.",
            address=address,
            why=why,
        )


class RayRefusedError(Exception):
    """The cluster did not do what it was told; the text says why."""


class Link:
    """Gives orders to a driver process, which is started when it is needed."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def ask(self, do: str, *, seconds: float = 30.0, **order: Any) -> dict[str, Any]:
        """The answer to an order.  Raises RayUnreachable and RayRefusedError."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            return self._told({"do": do, "seconds": seconds, **order}, seconds + 15.0)

    def close(self) -> None:
        """End the driver; the endpoints stay."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        if why := _silent(self.address):
            raise RayUnreachable(self.address, why)
        paths = [p or str(Path.cwd()) for p in sys.path]
        with tempfile.TemporaryFile() as words:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "modelwright.serve.on_ray.driver"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(paths),
                    "RAY_USAGE_STATS_ENABLED": "0",
                    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
                },
                start_new_session=True,
            )
            try:
                self._told({"do": "connect", "address": self.address}, _CONNECT_S)
            except (RayUnreachable, RayRefusedError) as error:
                self._end()
                words.seek(0)
                said = words.read().decode(errors="replace").strip().splitlines()
                raise RayUnreachable(self.address, said[-1] if said else str(error)) from None

    def _told(self, order: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RayUnreachable(self.address, "nobody speaks to it")
        try:
            process.stdin.write(json.dumps(dict(order)) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], seconds)
            line = process.stdout.readline() if ready else ""
        except OSError:
            line = ""
        if not line:
            # Without its answer the next one would be taken for it.
            self._end()
            raise RayUnreachable(self.address, f"it did not answer within {seconds:g} s")
        said: dict[str, Any] = json.loads(line)
        if said.get("refused") == "unreachable":
            raise RayUnreachable(self.address, said["why"])
        if "refused" in said:
            raise RayRefusedError(said["why"])
        return said

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


_links: dict[str, Link] = {}
_making = threading.Lock()


def link_to(address: str) -> Link:
    """The line to a cluster, the same for the same address."""
    with _making:
        return _links.setdefault(address, Link(address))


def _silent(address: str) -> str:
    """Why nothing can be there; Ray itself would wait for minutes."""
    import socket

    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=3):
            return ""
    except ValueError:
        return "an address is HOST:PORT"
    except (OSError, OverflowError) as error:
        return str(error)
