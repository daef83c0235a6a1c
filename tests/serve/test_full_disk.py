"""An endpoint whose disk is full answers, and what dies of it is replaced; on a small disk of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.replicas import package

# In a namespace of its own, so that the disk is gone with the last process on it.
APART = ["unshare", "--map-root-user", "--mount"]

SCENE = """
import os, signal, subprocess, sys, time
from pathlib import Path

import httpx

from modelwright.serve.endpoint import Endpoints
from modelwright.serve.keys import Keys
from tests.inference.cars import car_request

disk, packaged = Path(sys.argv[1]), Path(sys.argv[2])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "small", str(disk)], check=True)
endpoints = Endpoints(disk / "endpoints")
settings = {"autoscale": False}
try:
    status = endpoints.deploy(
        "cars", packaged, keys=Keys.new(), deployment=settings, endpoint={"auth": "none"}
    )
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    (victim,) = status.replicas
    os.kill(victim, signal.SIGKILL)
    answer = httpx.post(status.scoring_url, content=car_request(), timeout=60)
    assert answer.status_code == 200, answer.text
    until = time.monotonic() + 30
    while (now := endpoints.status("cars")).replicas in ((), (victim,)):
        assert time.monotonic() < until, now
        time.sleep(0.05)
    assert now.pid == status.pid, "the controller has ended"
    print("held")
finally:
    (disk / "filler").unlink(missing_ok=True)
    for name in endpoints.names():
        endpoints.remove(name)
"""


def _may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*APART, "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="nobody may make a small disk here")
def test_on_a_full_disk_requests_are_answered_and_a_killed_replica_is_replaced(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [*APART, sys.executable, "-c", SCENE, str(disk), str(package(tmp_path))],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "held\n", done.stderr
