"""The whole tutorial through the installed command, in a fresh home, as a new user would do it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from modelwright import samples

PROGRAM = Path(sys.executable).parent / "modelwright"
TUTORIAL = samples.PIPELINES[0].path
NODES = 8

Modelwright = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    for process in processes_of(folder):
        process.kill()


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of every command; when all have ended, in order or killed, no temporary file of theirs is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    own = {
        "MODELWRIGHT_HOME": str(home),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(temporary),
    }
    inherited = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    yield {**inherited, **own, "PYTHONWARNINGS": "default"}
    assert list(temporary.iterdir()) == []


@pytest.fixture
def modelwright(environment: dict[str, str]) -> Modelwright:
    def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=120,
        )

    return call


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes that work for a home: its path is in their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(home) in word for word in process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def post(address: str, key: str, body: Any) -> tuple[int, Any]:
    parts = urlsplit(address)
    assert parts.hostname
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    line.request("POST", parts.path, json.dumps(body), headers)
    answer = line.getresponse()
    value = json.loads(answer.read())
    line.close()
    return answer.status, value


def test_the_demo_trains_converts_deploys_and_scores_and_the_second_time_reuses_everything(
    modelwright: Modelwright, home: Path, tmp_path: Path
) -> None:
    first = modelwright("demo")
    assert first.returncode == 0, first.stderr
    assert first.stderr.count(": done in ") == NODES - 1
    assert "Warning" not in first.stderr
    for said in (
        "Coefficient_of_Determination",
        "what it learnt from the training data is applied to each request",
        'Requests need not have "price"',
        "Parity: equal; ",
        "Scoring address: http://127.0.0.1:",
        "Scored Labels",
    ):
        assert said in first.stdout

    report = json.loads(modelwright("run", "show", "latest", "--json").stdout)
    (r2,) = (m["value"] for m in report["metrics"] if m["name"] == "Coefficient_of_Determination")
    assert 0.8 < r2 < 0.97

    # The endpoint answers a stranger who has the key, and says what the training run said.
    shown = json.loads(modelwright("endpoint", "show", "automobile-price", "--json").stdout)
    assert shown["state"] == "healthy"
    keys = json.loads(modelwright("endpoint", "keys", "automobile-price", "--json").stdout)
    status, reply = post(shown["scoring_url"], keys["secondary"], shown["example"])
    assert status == 200
    assert len(reply["Results"]["WebServiceOutput0"]) == 1
    assert post(shown["scoring_url"], "wrong", shown["example"])[0] == 401
    held_out = tmp_path / "held-out.jsonl"
    modelwright("run", "output", "latest", "score-model.scored_dataset", "-o", held_out)
    rows = [json.loads(line) for line in held_out.read_text().splitlines()]
    assert len(rows) == 58
    requests = [
        {**{n: v for n, v in row.items() if n not in ("price", "Scored Labels")},
         "normalized-losses": None}
        for row in rows
    ]  # fmt: skip
    status, reply = post(
        shown["scoring_url"], keys["primary"], {"Inputs": {"WebServiceInput0": requests}}
    )
    assert status == 200
    scored = [row["Scored Labels"] for row in reply["Results"]["WebServiceOutput0"]]
    assert scored == pytest.approx([row["Scored Labels"] for row in rows], rel=1e-9)

    second = modelwright("demo")
    assert second.returncode == 0, second.stderr
    assert "nothing has changed, every step is reused" in second.stdout
    assert "serves this very pipeline already" in second.stdout
    assert second.stderr.count(": reused") == NODES - 1
    assert shown["scoring_url"] in second.stdout
    again = json.loads(modelwright("endpoint", "show", "automobile-price", "--json").stdout)
    assert again["pid"] == shown["pid"]

    assert processes_of(home)
    assert modelwright("endpoint", "delete", "automobile-price").returncode == 0
    assert processes_of(home) == []
    assert json.loads(modelwright("endpoint", "list", "--json").stdout) == []


def test_the_tutorial_goes_step_by_step_with_commands_of_its_own(
    modelwright: Modelwright, home: Path, tmp_path: Path
) -> None:
    (dataset,) = json.loads(modelwright("dataset", "list", "--json").stdout)
    assert dataset["name"] == "Automobile price data (Raw)"
    assert modelwright("pipeline", "check", TUTORIAL).returncode == 0
    plan = json.loads(modelwright("pipeline", "plan", TUTORIAL, "--json").stdout)
    assert [s["action"] for s in plan["steps"]].count("run") == NODES - 1

    ran = modelwright("pipeline", "run", TUTORIAL, "--set", "split-data.seed=3", "--json")
    assert ran.returncode == 0, ran.stderr
    run_id = json.loads(ran.stdout)["id"]
    inference = tmp_path / "inference.yaml"
    converted = modelwright("pipeline", "convert", TUTORIAL, "--run", run_id, "-o", inference)
    assert converted.returncode == 0, converted.stderr
    assert "Parity: equal" in converted.stdout

    done = modelwright("endpoint", "deploy", inference, "--name", "cars", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "healthy"
    rows = tmp_path / "rows.csv"
    lines = samples.DATASETS[0].path.read_text().splitlines()
    rows.write_text("\n".join(lines[:12]) + "\n")
    scored = modelwright("endpoint", "score", "cars", "--input", rows, "--json")
    assert scored.returncode == 0, scored.stderr
    reply = json.loads(scored.stdout)
    # Of the first eleven cars, one has no price; a request need not have it.
    assert len(reply["Results"]["WebServiceOutput0"]) == 11

    # A car that a step takes out is told, not lost.
    broken = tmp_path / "broken.csv"
    broken.write_text("\n".join([*lines[:2], lines[2].replace(",two,", ",?,")]) + "\n")
    scored = modelwright("endpoint", "score", "cars", "--input", broken)
    assert scored.returncode == 0, scored.stderr
    assert 'Row 1 dropped by "Clean Missing Data"' in scored.stderr

    assert modelwright("endpoint", "delete", "cars").returncode == 0
    assert processes_of(home) == []


@contextmanager
def kept_up(environment: dict[str, str], *words: str, end: signal.Signals) -> Iterator[str]:
    """A command that stays up: its login address; it is ended afterwards, in order unless it is killed."""
    with subprocess.Popen(
        [PROGRAM, *words, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        login = next((line for line in process.stdout if "log in at" in line), "")
        assert login, process.stderr.read() if process.stderr else ""
        yield login.rpartition(" ")[2].strip()
        process.send_signal(end)
        _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    if end is signal.SIGKILL:
        assert process.returncode == -end
        return
    assert process.returncode == 0, err
    assert err.endswith("Modelwright is down.\n")


def answers(address: str) -> bool:
    parts = urlsplit(address)
    assert parts.hostname
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    line.request("GET", parts.path)
    status = line.getresponse().status
    line.close()
    return status < 500


def test_the_server_stays_up_until_asked_to_end_and_the_endpoint_comes_back_with_it(
    modelwright: Modelwright, environment: dict[str, str], home: Path
) -> None:
    with kept_up(environment, "demo", "--serve", end=signal.SIGINT) as login:
        assert answers(login)
    with pytest.raises(ConnectionRefusedError):
        answers(login)
    before = json.loads(modelwright("endpoint", "show", "automobile-price", "--json").stdout)
    assert before["state"] == "healthy"

    # As after a restart of the machine: the process is gone, what is wanted is not.
    os.kill(before["pid"], signal.SIGKILL)
    with kept_up(environment, "up", end=signal.SIGTERM) as login:
        assert answers(login)
        after = json.loads(modelwright("endpoint", "show", "automobile-price", "--json").stdout)
    assert after["state"] == "healthy"
    assert after["scoring_url"] == before["scoring_url"]
    assert after["pid"] != before["pid"]
    keys = json.loads(modelwright("endpoint", "keys", "automobile-price", "--json").stdout)
    assert post(after["scoring_url"], keys["primary"], after["example"])[0] == 200
    assert modelwright("endpoint", "delete", "automobile-price").returncode == 0
    assert processes_of(home) == []


def test_an_endpoint_answers_every_request_while_its_server_is_killed_and_started_again(
    modelwright: Modelwright, environment: dict[str, str], home: Path
) -> None:
    statuses: list[int] = []
    with kept_up(environment, "demo", "--serve", end=signal.SIGKILL):
        before = json.loads(modelwright("endpoint", "show", "automobile-price", "--json").stdout)
        keys = json.loads(modelwright("endpoint", "keys", "automobile-price", "--json").stdout)
        over = threading.Event()

        def call() -> None:
            while not over.is_set():
                try:
                    told = post(before["scoring_url"], keys["primary"], before["example"])
                except (OSError, http.client.HTTPException):
                    told = (0, None)
                statuses.append(told[0])

        caller = threading.Thread(target=call)
        caller.start()
    try:
        with kept_up(environment, "up", end=signal.SIGTERM) as login:
            assert answers(login)
            after = json.loads(modelwright("endpoint", "show", "automobile-price", "--json").stdout)
    finally:
        over.set()
        caller.join()
    assert (after["state"], after["pid"]) == ("healthy", before["pid"])
    assert len(statuses) > 10
    assert set(statuses) == {200}
    assert modelwright("endpoint", "delete", "automobile-price").returncode == 0
    assert processes_of(home) == []
