from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright import samples
from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.pipelines import write_pipeline
from modelwright.actions.run_pipeline import run_pipeline
from tests.actions.homes import TINY, open_home, tutorial
from tests.cli.command import Command, command


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which the tutorial has been trained, and beside it its inference pipeline."""
    folder = tmp_path_factory.mktemp("trained")
    with open_home(folder / "home") as home:
        report = run_pipeline(home, tutorial().graph)
        write_pipeline(convert_pipeline(home, report.run.id).document, folder / "inference.yaml")
        yield folder
        for name in home.replicas.names():
            home.replicas.remove(name)


@pytest.fixture
def modelwright(trained: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(trained / "home", capsys)


def test_an_inference_pipeline_is_deployed_looked_at_scored_stopped_and_deleted(
    modelwright: Command, trained: Path, tmp_path: Path
) -> None:
    done = modelwright(
        "endpoint", "deploy", trained / "inference.yaml", "--name", "cars",
        "--set", "scoring_timeout_ms=5000", "--description", "Prices of cars",
        "--tag", "team=sales", "--tag", "formula=a=b",
    )  # fmt: skip
    assert done.status == 0, done.err
    assert done.out.startswith("cars is healthy.\nScoring address: http://127.0.0.1:")
    again = modelwright("endpoint", "deploy", trained / "inference.yaml", "--name", "cars")
    assert again.out.startswith("It serves this pipeline already.")

    (listed,) = modelwright("endpoint", "list", "--json").json
    assert (listed["name"], listed["state"]) == ("cars", "healthy")
    assert listed["settings"]["scoring_timeout_ms"] == 5000
    text = modelwright("endpoint", "list").out
    assert listed["scoring_url"] in text
    shown = modelwright("endpoint", "show", "cars", "--json").json
    assert shown["description"] == "Prices of cars"
    text = modelwright("endpoint", "show", "cars").out
    assert "Tags:            formula=a=b, team=sales" in text
    assert shown["tags"] == {"team": "sales", "formula": "a=b"}
    kept_by = {"cgroup": "a control group", "rlimit": "a limit of its process"}
    held = shown["memory"]
    assert f"0.5 GB for each replica, held by {kept_by[held['by']]}" in text
    changed = modelwright(
        "endpoint", "change", "cars", "--tag", "team=cars", "--untag", "formula",
        "--description", "Used cars", "--json",
    )  # fmt: skip
    assert changed.json["tags"] == {"team": "cars"}
    assert changed.json["description"] == "Used cars"
    assert modelwright("endpoint", "change", "cars").status == 2
    single = modelwright(
        "endpoint", "change", "cars", "--deployment", "1", "--tag", "model=linear",
        "--set", "calm_s=5", "--json",
    )  # fmt: skip
    assert single.json["tags"] == {"team": "cars"}
    (made,) = single.json["deployments"]
    assert (made["tags"], made["settings"]["calm_s"]) == ({"model": "linear"}, 5.0)
    assert "model=linear" in modelwright("endpoint", "show", "cars").out
    for tags, count in (("model=linear", 1), ("team=cars", 1), ("model=forest", 0)):
        assert len(modelwright("endpoint", "list", "--tag", tags, "--json").json) == count
    wrong = modelwright("endpoint", "change", "cars", "--tag", "none")
    assert wrong.err.startswith("error [malformed-setting]:")
    for column in shown["inputs"][0]["columns"]:
        assert column["name"] in text
    assert 'Output "WebServiceOutput0": symboling, make' in text
    assert [step["compiled"] for step in shown["steps"]] == [True] * len(shown["steps"])
    for step in shown["steps"]:
        (line,) = [x for x in text.splitlines() if x.startswith(step["title"])]
        assert line.split()[-1] == f"{step['cost_us']:.6g}"

    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(shown["example"]))
    reply = modelwright("endpoint", "score", "cars", "--input", rows, "--json").json
    (row,) = reply["Results"]["WebServiceOutput0"]
    text = modelwright("endpoint", "score", "cars", "--input", rows).out
    assert f"Scored Labels      {row['Scored Labels']:.6g}" in text

    keys = modelwright("endpoint", "keys", "cars", "--json").json
    assert keys["primary"] in modelwright("endpoint", "keys", "cars").out
    new = modelwright("endpoint", "keys", "cars", "--regenerate", "secondary", "--json").json
    assert new["primary"] == keys["primary"]
    assert new["secondary"] != keys["secondary"]

    assert "answering on" in modelwright("endpoint", "logs", "cars").out
    assert len(modelwright("endpoint", "logs", "cars", "--lines", "1").out.splitlines()) == 1
    assert modelwright("endpoint", "stop", "cars").out == "cars is stopped.\n"
    done = modelwright("endpoint", "score", "cars", "--input", rows)
    assert (done.status, done.err[:29]) == (2, "error [endpoint-unreachable]:")
    assert modelwright("endpoint", "start", "cars", "--json").json["state"] == "healthy"
    assert modelwright("endpoint", "delete", "cars").out == "cars is deleted.\n"
    assert modelwright("endpoint", "list", "--json").json == []


def test_a_log_is_followed_with_what_is_written_later_until_it_is_interrupted(
    modelwright: Command, trained: Path
) -> None:
    done = modelwright("endpoint", "deploy", trained / "inference.yaml", "--name", "followed")
    assert done.status == 0, done.err
    command = [sys.executable, "-m", "modelwright.cli", "--home", str(trained / "home")]
    with subprocess.Popen(
        [*command, "endpoint", "logs", "followed", "--follow", "--lines", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What is started in the background of a script is born deaf to it, and so are its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as following:
        watchdog = threading.Timer(120, following.kill)
        watchdog.start()
        try:
            assert following.stdout is not None
            assert following.stdout.readline()
            # What is written while it follows: a line for each request.
            changed = modelwright("endpoint", "change", "followed", "--set", "diagnostics=true")
            assert changed.status == 0, changed.err
            rows = trained / "followed.json"
            example = modelwright("endpoint", "show", "followed", "--json").json["example"]
            rows.write_text(json.dumps(example))
            assert modelwright("endpoint", "score", "followed", "--input", rows).status == 0
            assert any("POST" in line and " 200 " in line for line in following.stdout)
            following.send_signal(signal.SIGINT)
            _, said = following.communicate(timeout=60)
        finally:
            watchdog.cancel()
            following.kill()
    assert "Traceback" not in said
    assert following.returncode == 130
    assert modelwright("endpoint", "delete", "followed").status == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "nobody"], "not-found"),
        (["keys", "nobody"], "not-found"),
        (["keys", "nobody", "--regenerate", "third"], "usage"),
        (["score", "nobody", "--input", "rows.json"], "not-found"),
        (["stop", "nobody"], "not-found"),
        (["logs", "nobody"], "not-found"),
        (["delete", "nobody"], "not-found"),
    ],
)
def test_an_endpoint_that_is_not_there_is_told(
    modelwright: Command, words: list[str], code: str
) -> None:
    done = modelwright("endpoint", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"error [{code}]: ")


def test_what_cannot_be_deployed_is_told(
    modelwright: Command, trained: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.yaml"
    plain.write_text(TINY)
    good = trained / "inference.yaml"
    mistakes: dict[str, list[str | Path]] = {
        "not-an-inference-pipeline": [plain, "--name", "cars"],
        "invalid-name": [good, "--name", "my cars"],
        "unknown-setting": [good, "--name", "cars", "--set", "timeout=1"],
        "invalid-setting": [good, "--name", "cars", "--set", "min_replicas=many"],
        "malformed-setting": [good, "--name", "cars", "--set", "min_replicas"],
        "file-not-found": [tmp_path / "nowhere.yaml", "--name", "cars"],
    }
    for code, words in mistakes.items():
        done = modelwright("endpoint", "deploy", *words)
        assert (done.status, done.out) == (2, "")
        told = done.err.removeprefix("Packaging it ...\n")
        assert told.startswith(f"error [{code}]: ")
    other = tmp_path / "training.yaml"
    other.write_text(samples.PIPELINES[0].text)
    assert modelwright("endpoint", "deploy", other, "--name", "cars").status == 2
    assert modelwright("endpoint", "list", "--json").json == []


def test_a_pipeline_of_another_home_lacks_its_frozen_values(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = command(tmp_path / "elsewhere", capsys)
    done = elsewhere("endpoint", "deploy", trained / "inference.yaml", "--name", "cars")
    assert done.status == 2
    assert "is not in the store" in done.err
