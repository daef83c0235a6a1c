"""Real replica processes for tests, on free ports of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from modelwright.inference.package import write
from tests.inference.cars import car_prices

PRIMARY = "primary-key-of-the-tests"
SECONDARY = "secondary-key-of-the-tests"
AUTHORIZED = {"Authorization": f"Bearer {PRIMARY}"}


@dataclass
class Running:
    """A replica that answers.  client: sends the primary key."""

    process: subprocess.Popen[bytes]
    host: str
    port: int
    client: httpx.Client
    control: Path
    log: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def score(self, body: bytes, **query: str) -> httpx.Response:
        return self.client.post("/score", content=body, params=query)


def package(folder: Path, name: str = "cars", **how: Any) -> Path:
    """The automobile pipeline, packaged."""
    path = folder / name
    write(car_prices(**how), path)
    return path


@contextmanager
def running(
    packaged: Path,
    *options: str,
    deployment: Mapping[str, Any] | None = None,
    endpoint: Mapping[str, Any] | None = None,
    deployments: Mapping[str, Any] | None = None,
) -> Iterator[Running]:
    """A replica process for a package, stopped at the end.  deployments: in place of the package."""
    folder = packaged.parent
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"primary": PRIMARY, "secondary": SECONDARY}), encoding="utf-8")
    settings = folder / "settings.json"
    settings.write_text(
        json.dumps(
            {
                "deployment": dict(deployment or {}),
                "endpoint": dict(endpoint or {}),
                "deployments": dict(deployments or {}),
            }
        ),
        encoding="utf-8",
    )
    reading, writing = os.pipe()
    command = [
        *(sys.executable, "-m", "modelwright.serve.replica", str(packaged)),
        *("--name", "cars", "--port", "0", "--keys-file", str(keys)),
        *("--settings-file", str(settings), "--control", str(folder / "control.sock")),
        *("--report", str(writing), *options),
    ]
    process = subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.PIPE)
    os.close(writing)
    log: list[str] = []
    reader = threading.Thread(target=_collect, args=(process, log), daemon=True)
    reader.start()
    try:
        with os.fdopen(reading, encoding="utf-8") as pipe:
            said = json.loads(pipe.readline() or "{}")
        if "port" not in said:
            process.wait(10)
            raise AssertionError(f"the replica did not start: {said} {log}")
        base = f"http://{said['host']}:{said['port']}"
        with httpx.Client(base_url=base, headers=AUTHORIZED, timeout=30) as client:
            yield Running(process, said["host"], said["port"], client, folder / "control.sock", log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        if process.stderr is not None:
            process.stderr.close()


def _collect(process: subprocess.Popen[bytes], log: list[str]) -> None:
    if process.stderr is not None:
        log.extend(line.decode(errors="replace").rstrip() for line in process.stderr)
