"""A container engine of its own for tests: Podman's service on a temporary socket and storage."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from modelwright.serve.container.engine import NoContainerEngine, connected


@contextmanager
def podman_engine() -> Iterator[str]:
    """The address of an engine that is gone, with all its containers and images, at the end."""
    podman = shutil.which("podman")
    if podman is None:
        pytest.skip(
            "podman is not installed: NO CONTAINER IS STARTED (apt-get install podman runc)"
        )
    # Short, since the address of a socket holds about 100 characters.
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"mw-podman-{os.getpid()}-", dir="/tmp"))
    where = [podman, "--root", str(folder / "root"), "--runroot", str(folder / "run")]
    address = f"unix://{folder}/engine.sock"
    service = subprocess.Popen(
        [*where, "system", "service", "--time=0", address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(address, service)
        yield address
    finally:
        subprocess.run([*where, "rm", "--all", "--force", "--time", "0"], capture_output=True)
        service.terminate()
        service.wait(20)
        subprocess.run([*where, "system", "reset", "--force"], capture_output=True)
        _unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove what tests have left that were killed: they could not."""
    for folder in Path("/tmp").glob("mw-podman-*-*"):
        pid = folder.name.split("-")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            _unmount(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _unmount(folder: Path) -> None:
    """Podman leaves its storage mounted on itself, and a mounted folder cannot be deleted."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for place in reversed([line.split()[1] for line in mounts]):
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", place], capture_output=True)


def _wait(address: str, service: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            connected(address).close()
            return
        except NoContainerEngine:
            if service.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)
