from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelwright import samples
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.graph.codec import read
from tests.actions.homes import BROKEN, TINY, open_home, tiny
from tests.cli.command import Command, command

TUTORIAL = samples.PIPELINES[0].path
MODEL = "MD - Regression - Automobile Price Prediction (Basic) - Train Model"
CLEANING = "TD - Regression - Automobile Price Prediction (Basic) - Clean Missing Data"


@pytest.fixture(scope="module")
def home_with_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the tiny pipeline has run; to be looked at only."""
    folder = tmp_path_factory.mktemp("ran")
    with open_home(folder) as home:
        run_pipeline(home, tiny().graph)
    return folder


@pytest.fixture
def looking(home_with_run: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(home_with_run, capsys)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def call(text: str) -> Path:
        path = tmp_path / "pipeline.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return call


def test_a_pipeline_without_problems_is_ready_to_run(modelwright: Command) -> None:
    assert "8 nodes, ready to run" in modelwright("pipeline", "check", TUTORIAL).out
    found = modelwright("pipeline", "check", TUTORIAL, "--json").json
    assert found["problems"] == []
    assert found["can_run"] is True


def test_problems_are_told_with_their_place_and_end_with_status_2(
    modelwright: Command, write: Callable[[str], Path]
) -> None:
    wrong = write(TINY.replace("[a]", "[price]"))
    done = modelwright("pipeline", "check", wrong, "--json")
    assert done.status == 2
    (problem,) = done.json["problems"]
    assert (problem["node"], problem["column"]) == ("chosen", "price")
    assert done.err.startswith("error [pipeline-problems]: ")
    assert "price" in modelwright("pipeline", "check", wrong).out
    assert modelwright("pipeline", "run", wrong).status == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("modelwright: 1\nnodes: [", "pipeline-file-error"),
        ("modelwright: 99\n", "newer-file-format"),
        ("nodes: {}\n", "pipeline-file-error"),
        ("modelwright: 1\nnodez: {}\n", "pipeline-file-error"),
        (TINY.replace("enter-data-manually", "enter-data"), "pipeline-problems"),
        (TINY.replace("typed.dataset", "tiped.dataset"), "pipeline-problems"),
        ("modelwright: 1\nname: Empty\n", "pipeline-problems"),
    ],
)
def test_a_file_that_is_no_pipeline_has_a_code_of_its_own(
    modelwright: Command, write: Callable[[str], Path], text: str, code: str
) -> None:
    for verb in ("check", "plan", "run"):
        done = modelwright("pipeline", verb, write(text))
        assert done.status == 2
        assert done.err.startswith(f"error [{code}]: ")


def test_a_file_that_is_not_there_or_no_text_is_told(modelwright: Command, tmp_path: Path) -> None:
    done = modelwright("pipeline", "check", tmp_path / "nowhere.yaml")
    assert (done.status, done.err[:22]) == (2, "error [file-not-found]")
    (tmp_path / "binary.yaml").write_bytes(b"modelwright: 1\nname: \xff\n")
    done = modelwright("pipeline", "check", tmp_path / "binary.yaml")
    assert done.status == 2
    assert "Line 2 of the pipeline file: it is not UTF-8 text" in done.err
    assert modelwright("pipeline", "check", tmp_path).status == 2


def test_a_plan_says_what_would_run_and_why_and_a_run_says_what_did(
    modelwright: Command, write: Callable[[str], Path]
) -> None:
    file = write(TINY)
    plan = modelwright("pipeline", "plan", file, "--json").json
    assert [(s["node"], s["action"]) for s in plan["steps"]] == [
        ("typed", "run"),
        ("chosen", "run"),
    ]
    assert modelwright("pipeline", "plan", file).out.count("It has not run yet") == 2

    ran = modelwright("pipeline", "run", file, "--json")
    assert ran.status == 0
    assert ran.json["status"] == "completed"
    assert ran.json["counts"] == {"done": 2}
    assert ran.err.splitlines()[0].startswith("[1/2] Enter Data Manually: done in ")

    again = modelwright("pipeline", "run", file)
    assert "completed" in again.out
    assert "2 reused" in again.out
    assert (
        again.err == "[1/2] Enter Data Manually: reused\n[2/2] Select Columns in Dataset: reused\n"
    )
    plan = modelwright("pipeline", "plan", file, "--json").json
    assert {s["action"] for s in plan["steps"]} == {"reuse"}

    other = modelwright("pipeline", "plan", file, "--set", "chosen.columns=[b]", "--json").json
    assert [s["action"] for s in other["steps"]] == ["reuse", "run"]
    assert 'Parameter "columns" changed' in other["steps"][1]["reason"]

    rerun = modelwright("pipeline", "run", file, "--rerun", "--until", "typed", "--json").json
    assert [(s["node"], s["status"]) for s in rerun["steps"]] == [("typed", "done")]

    listed = modelwright("run", "list", "--json").json
    assert [r["id"] for r in listed] == [rerun["id"], listed[1]["id"], ran.json["id"]]
    assert listed[0]["id"] in modelwright("run", "list").out
    assert "1 of 3 runs" in modelwright("run", "list", "--limit", "1").out
    shown = modelwright("run", "show", ran.json["id"], "--json").json
    assert shown == ran.json
    assert "results_dataset 3 x 1" in modelwright("run", "show", ran.json["id"]).out


LEAKING = """\
modelwright: 1
nodes:
  rows:
    component: enter-data-manually
    parameters: {data: "x,y\\n1,2\\n2,3\\n3,5\\n4,4\\n5,7\\n6,6\\n7,9\\n8,8\\n9,9\\n10,12\\n"}
  scaled:
    component: normalize-data
    parameters: {columns: {begin: none, rules: [{rule: include, names: [x]}]}}
    inputs: {dataset: rows.dataset}
  learner:
    component: linear-regression
  folds:
    component: cross-validate-model
    parameters: {label_column: y}
    inputs: {untrained_model: learner.untrained_model, dataset: scaled.transformed_dataset}
"""


def test_a_run_tells_what_makes_its_figures_too_good(
    modelwright: Command, write: Callable[[str], Path]
) -> None:
    done = modelwright("pipeline", "run", write(LEAKING), "--json")
    assert done.status == 0
    assert done.json["status"] == "completed"
    assert 'warning [learnt-before-folds] at "folds": "Normalize Data" learnt' in done.err
    assert "Take its figures as too good" in done.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--set", "chosen.columns"], "malformed-setting"),
        (["--set", "=1"], "malformed-setting"),
        (["--set", "chosen.columns=[a"], "malformed-setting"),
        (["--set", "chosn.columns=[a]"], "unknown-node"),
        (["--set", "columns=[a]"], "unknown-pipeline-parameter"),
        (["--set", "chosen.column=[a]"], "pipeline-problems"),
        (["--until", "chosn"], "unknown-node"),
    ],
)
def test_a_setting_that_cannot_be_is_told(
    modelwright: Command, write: Callable[[str], Path], words: list[str], code: str
) -> None:
    done = modelwright("pipeline", "plan", write(TINY), *words)
    assert done.status == 2
    assert done.err.startswith(f"error [{code}]: ")


def test_a_failed_run_ends_with_status_2_and_its_log_can_be_read(
    modelwright: Command, write: Callable[[str], Path]
) -> None:
    done = modelwright("pipeline", "run", write(BROKEN), "--json", "--verbose")
    assert done.status == 2
    assert done.json["status"] == "failed"
    assert "    so far so good" in done.err
    assert "[3/3] Select Columns in Dataset: skipped" in done.err
    (message,) = [line for line in done.err.splitlines() if line.startswith("error [")]
    assert message.startswith("error [run-failed]: ")
    assert "no such luck" in message
    assert "so far so good" in modelwright("run", "log", "latest", "script").out
    assert modelwright("run", "log", "latest", "typed").out.strip() == ""
    assert modelwright("run", "cancel", "latest").out.endswith("is failed.\n")


def test_outputs_are_shown_and_written_in_every_format(looking: Command, tmp_path: Path) -> None:
    import polars as pl

    shown = looking("run", "output", "latest", "typed.dataset", "--rows", "2")
    assert shown.out.splitlines()[0] == "Table: rows 3, columns 2"
    assert "2 of 3 rows" in shown.out
    found = looking("run", "output", "latest", "typed.dataset", "--json").json
    assert [c["name"] for c in found["columns"]] == ["a", "b"]
    assert found["rows"] == [[1, "x"], [2, "y"], [3, "z"]]
    frames = []
    for ending, scan in {
        "csv": pl.read_csv,
        "parquet": pl.read_parquet,
        "jsonl": pl.read_ndjson,
        "arrow": pl.read_ipc,
    }.items():
        path = tmp_path / f"out.{ending}"
        done = looking("run", "output", "latest", "typed.dataset", "-o", path)
        assert (done.status, done.out) == (0, "")
        frames.append(scan(path).to_dict(as_series=False))  # type: ignore[operator]
    assert frames == [{"a": [1, 2, 3], "b": ["x", "y", "z"]}] * 4


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "show", "run-1"], "not-found"),
        (["run", "output", "latest", "typed"], "malformed-pin"),
        (["run", "output", "latest", "typed.rows"], "no-output"),
        (["run", "output", "latest", "tiped.dataset"], "no-output"),
        (["run", "output", "latest", "typed.dataset", "-o", "rows.xlsx"], "invalid-read-option"),
        (["run", "output", "latest", "typed.dataset", "-o", "/no/such/a.csv"], "cannot-write-file"),
        (["run", "log", "latest", "nobody"], "not-found"),
    ],
)
def test_what_a_run_does_not_have_is_told(looking: Command, words: list[str], code: str) -> None:
    done = looking(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"error [{code}]: ")


def test_a_conversion_names_every_node_and_writes_the_inference_pipeline(
    modelwright: Command, write: Callable[[str], Path], tmp_path: Path
) -> None:
    ran = modelwright("pipeline", "run", TUTORIAL, "--json").json
    assert ran["metrics"][-1]["name"] == "Coefficient_of_Determination"
    assert 0.8 < ran["metrics"][-1]["value"] < 0.97
    target = tmp_path / "inference.yaml"
    text = modelwright("pipeline", "convert", TUTORIAL, "--run", ran["id"], "-o", target)
    assert text.status == 0
    found = modelwright("pipeline", "convert", TUTORIAL, "--run", "latest", "--json").json
    for change in found["changes"]:
        assert change["node"] in text.out
        assert change["reason"] in text.out
    assert set(read(samples.PIPELINES[0].text).graph.nodes) <= {c["node"] for c in found["changes"]}
    assert "Parity: equal" in text.out
    assert found["parity"]["verdict"] == "equal"
    assert found["pipeline"] == target.read_text()
    models = modelwright("model", "list", "--json").json
    assert {(m["name"], m["kind"], m["version"]) for m in models} == {
        (MODEL, "model", 1),
        (CLEANING, "transformation", 1),
    }
    assert MODEL in target.read_text()
    assert modelwright("pipeline", "check", target).status == 0

    changed = write(samples.PIPELINES[0].text.replace("fraction: 0.7", "fraction: 0.6"))
    done = modelwright("pipeline", "convert", changed, "--run", ran["id"], "-o", tmp_path / "no")
    assert done.status == 2
    assert done.err.startswith("error [run-differs]: ")
    assert '"split-data" has another fraction' in done.err
    assert not (tmp_path / "no").exists()

    model = modelwright("run", "output", ran["id"], "train-model.trained_model").out
    assert model.startswith("Trained model: task regression")
    done = modelwright(
        "run", "output", ran["id"], "train-model.trained_model", "-o", tmp_path / "m.csv"
    )
    assert done.err.startswith("error [not-a-table]: ")


def test_ctrl_c_cancels_a_run_and_leaves_no_process_behind(tmp_path: Path) -> None:
    import psutil

    slow = BROKEN.replace(
        'raise ValueError("no such luck")', "import time; time.sleep(600); return first"
    )
    (tmp_path / "slow.yaml").write_text(slow)
    home = tmp_path / "home"
    words = [sys.executable, "-m", "modelwright.cli", "--home", str(home), "pipeline", "run"]
    with subprocess.Popen(
        [*words, str(tmp_path / "slow.yaml"), "-v"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "so far so good" in line:
                break
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.stdout is not None
        out = process.stdout.read()
    assert process.returncode == 130
    assert "Cancelling the run" in rest
    assert "error [run-cancelled]" in rest
    assert "cancelled" in out
    deadline = time.monotonic() + 10
    while any(w.is_running() for w in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(w.is_running() for w in workers)


PROMOTED = """\
modelwright: 1
name: Promoted
parameters:
  which: {description: Columns to keep., default: [a], sets: [chosen.columns]}
nodes:
  typed:
    component: enter-data-manually
    parameters: {data: "a,b\\n1,2\\n"}
  chosen:
    component: select-columns-in-dataset
    inputs: {dataset: typed.dataset}
"""


def test_pipeline_parameters_are_listed_set_checked_and_kept_on_the_run(
    modelwright: Command, tmp_path: Path
) -> None:
    file = tmp_path / "promoted.yaml"
    file.write_text(PROMOTED)
    (listed,) = modelwright("pipeline", "parameters", file, "--json").json
    assert listed["name"] == "which"
    assert (listed["type"], listed["default"]) == ("columns", ["a"])
    assert "Columns to keep." in modelwright("pipeline", "parameters", file).out
    plain = modelwright("pipeline", "run", file, "--json").json
    assert plain["parameters"] == {"which": ["a"]}
    other = modelwright("pipeline", "run", file, "--parameter", "which=[b]", "--json").json
    assert other["parameters"] == {"which": ["b"]}
    assert "which=['b']" in modelwright("run", "show", other["id"]).out
    refused = modelwright("pipeline", "run", file, "--parameter", "which=7")
    assert refused.status == 2
    assert "wrong-pipeline-parameter" in refused.err
    unknown = modelwright("pipeline", "run", file, "--parameter", "witch=[b]")
    assert 'Nearest: "which"' in unknown.err
