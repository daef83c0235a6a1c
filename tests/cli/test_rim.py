from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from modelwright.cli.rim import guarded
from modelwright.data.errors import ModelwrightError
from tests.cli.command import Command


def test_what_went_well_ends_with_nothing_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


def test_a_mistake_of_the_user_is_one_message_with_its_code_and_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise ModelwrightError("The tank is empty.", remedy="Fill it.")

    assert guarded(fail) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err == "error [modelwright-error]: The tank is empty.\n  Fill it.\n"


def test_a_mistake_of_ours_is_a_number_and_the_trace_is_in_the_logs_only(
    tmp_path: Path, modelwright: Command
) -> None:
    script = """
import sys
from pathlib import Path
from modelwright.cli.place import choose
from modelwright.cli.rim import guarded

def fail():
    choose(Path(sys.argv[1]))
    {}["nowhere"]

sys.exit(guarded(fail))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "nowhere" not in done.stderr
    (log,) = (tmp_path / "logs").iterdir()
    assert str(log) in done.stderr
    reference = log.stem.rpartition("-")[2]
    assert f"(reference {reference})" in done.stderr
    assert "KeyError: 'nowhere'" in log.read_text()


def test_a_mistake_of_ours_is_kept_elsewhere_when_the_home_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelwright.cli.place import choose

    (tmp_path / "home").write_text("a file, no folder")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def fail() -> None:
        choose(tmp_path / "home")
        raise ZeroDivisionError

    assert guarded(fail) == 1
    (log,) = tmp_path.glob("error-*.log")
    assert str(log) in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interruption_has_the_status_that_shells_expect(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    assert guarded(fail) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_a_reader_who_has_seen_enough_is_no_mistake() -> None:
    command = [sys.executable, "-m", "modelwright.cli", "component", "list", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert err == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["componnet"], "Did you mean 'component'"),
        (["component", "lst"], "Did you mean 'list'?"),
        (["component", "list", "--jsn"], "--json"),
        (["component", "show"], "Missing argument 'ID'"),
        (["run", "list", "--limit", "many"], "--limit"),
        (["pipeline", "convert", "file.yaml"], "Missing option '--run'"),
    ],
)
def test_a_misused_command_is_told_with_what_may_have_been_meant(
    modelwright: Command, words: list[str], said: str
) -> None:
    done = modelwright(*words)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("error [usage]: ")
    assert said in done.err
    assert "--help" in done.err


def test_a_home_that_cannot_be_is_told(modelwright: Command, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, no folder")
    done = modelwright("run", "list")
    assert done.status == 2
    assert done.err.startswith("error [home-unusable]: ")


def test_the_home_may_be_named_before_or_after_the_command_or_by_the_environment(
    modelwright: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWRIGHT_HOME", str(tmp_path / "environment"))
    assert modelwright("run", "list", "--home", tmp_path / "after").status == 0
    assert (tmp_path / "after" / "modelwright.db").exists()
    assert not (tmp_path / "home").exists()
    assert modelwright("run", "list").status == 0
    assert (tmp_path / "home" / "modelwright.db").exists()
    from modelwright.cli.main import run

    assert run(["run", "list"]) == 0
    assert (tmp_path / "environment" / "modelwright.db").exists()


def test_the_version_is_printed(modelwright: Command) -> None:
    assert modelwright("--version").out == "modelwright 0.1.0\n"
