"""What is said where nothing can be served."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from modelwright.serve.control import NoReplica, tell
from modelwright.serve.replica import Replica
from modelwright.serve.settings import EndpointSettings


def test_keys_are_asked_for_and_none_are_given(tmp_path: Path) -> None:
    read, write = os.pipe()
    command = [sys.executable, "-m", "modelwright.serve.replica", str(tmp_path), "--auth", "keys"]
    done = subprocess.run(
        [*command, "--report", str(write)], pass_fds=[write], timeout=60, check=False
    )
    os.close(write)
    with os.fdopen(read) as report:
        error = json.loads(report.read())["error"]
    assert done.returncode == 2
    assert error["code"] == "no-keys"
    assert "--keys-file" in error["remedy"]


def test_a_command_to_nobody_says_that_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(NoReplica):
        tell(tmp_path / "control", {"do": "status"}, seconds=1)


def test_an_endpoint_without_a_deployment_asks_to_be_tried_again() -> None:
    replica = Replica("cars", endpoint=EndpointSettings(auth="none"), keys_file=None)

    async def ask() -> httpx.Response:
        # Ours takes messages as plain dictionaries, which is what they are.
        transport = httpx.ASGITransport(app=replica.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://cars") as client:
            return await client.post("/score", json={"Inputs": {}})

    response = asyncio.run(ask())
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["error"]["details"]["code"] == "not-ready"
