"""What is said where nothing can be served."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.serve.control import NoReplica, tell


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
