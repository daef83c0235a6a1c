"""A server as a process of its own, with worker processes, ended the kind way and the hard way."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.api.servers import messages

PROGRAM = """
import sys
from pathlib import Path
from modelwright.actions.home import Home
from modelwright.api.server import serve

with Home.open(Path(sys.argv[1])) as home:
    serve(home, port=0, on_ready=lambda address: print(address, flush=True))
print("ended", flush=True)
"""


@dataclass(frozen=True)
class Program:
    """A server process and a browser that is logged in to it."""

    process: subprocess.Popen[str]
    login: str
    browser: httpx.Client

    def rest_of_output(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()


@contextmanager
def started(home: Path) -> Iterator[Program]:
    command = [sys.executable, "-c", PROGRAM, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            login = process.stdout.readline().strip()
            address, _, token = login.partition("/login#token=")
            with httpx.Client(base_url=address, headers={"origin": address}, timeout=60) as browser:
                entered = browser.post("/api/session", json={"token": token})
                assert entered.status_code == 200, entered.text
                yield Program(process, login, browser)
        finally:
            process.kill()


def waiting(gate: Path) -> Any:
    """Typed rows, then a script that says so and waits for a file."""
    code = (
        "def azureml_main(first, second=None):\n"
        "    import pathlib, time\n"
        "    print('waiting', flush=True)\n"
        f"    while not pathlib.Path({str(gate)!r}).exists():\n"
        "        time.sleep(0.01)\n"
        "    return first,\n"
    )
    return {
        "name": "Waiting",
        "nodes": [
            {"id": "typed", "component": "enter-data-manually", "parameters": {"data": "a\n1\n"}},
            {"id": "script", "component": "execute-python-script", "parameters": {"script": code}},
        ],
        "wires": [{"source": "typed.dataset", "target": "script.dataset1"}],
    }


def begun(program: Program, gate: Path) -> str:
    """The id of a run whose second step is in the middle of its work."""
    answer = program.browser.post("/api/runs", json={"graph": waiting(gate)})
    assert answer.status_code == 201, answer.text
    run = str(answer.json()["id"])
    with program.browser.stream("GET", f"/api/runs/{run}/events/stream") as response:
        for _, data in messages(response):
            if data["kind"] == "step-log" and data["node"] == "script":
                break
    return run


def test_a_server_that_is_killed_loses_no_finished_step(tmp_path: Path) -> None:
    home, gate = tmp_path / "home", tmp_path / "go"
    with started(home) as program:
        run = begun(program, gate)
        program.process.kill()
        program.process.wait(30)
    with started(home) as program:
        told = program.browser.get(f"/api/runs/{run}").json()
        assert told["status"] == "failed"
        assert told["error"]["code"] == "run-interrupted"
        assert {s["node"]: s["status"] for s in told["steps"]} == {
            "typed": "done",
            "script": "cancelled",
        }
        gate.touch()
        again = program.browser.post("/api/runs", json={"graph": waiting(gate)}).json()["id"]
        with program.browser.stream("GET", f"/api/runs/{again}/events/stream") as response:
            assert list(messages(response))[-1][1]["kind"] == "closed"
        told = program.browser.get(f"/api/runs/{again}").json()
        assert {s["node"]: s["status"] for s in told["steps"]} == {
            "typed": "reused",
            "script": "done",
        }


def test_a_server_that_is_asked_to_end_does_so_at_once_and_in_order(tmp_path: Path) -> None:
    home, gate = tmp_path / "home", tmp_path / "go"
    with started(home) as program:
        run = begun(program, gate)
        with program.browser.stream("GET", f"/api/runs/{run}/events/stream") as response:
            told = messages(response)
            assert next(told)[1]["kind"] == "run-started"
            program.process.send_signal(signal.SIGTERM)
            assert list(told)[-1][1]["kind"] == "closed"
        assert program.process.wait(20) == 0
        assert program.rest_of_output() == "ended\n"
    with started(home) as program:
        told_now = program.browser.get(f"/api/runs/{run}").json()
        assert told_now["error"]["code"] == "run-interrupted"


def test_the_address_of_an_earlier_start_opens_nothing(tmp_path: Path) -> None:
    with started(tmp_path) as program:
        first = program.login
    with started(tmp_path) as program:
        token = first.partition("#token=")[2]
        refused = program.browser.post("/api/session", json={"token": token})
        assert refused.status_code == 401
