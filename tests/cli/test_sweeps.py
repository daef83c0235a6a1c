from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.actions.homes import BROKEN, SWEEP
from tests.cli.command import Command


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


def test_a_run_is_shown_with_the_settings_it_tried_the_best_first(
    modelwright: Command, pipeline: Path
) -> None:
    assert modelwright("pipeline", "run", pipeline).status == 0
    shown = modelwright("run", "show", "latest").out.splitlines()
    head = next(at for at, line in enumerate(shown) if line.startswith("tune: "))
    assert shown[head].startswith("tune: Linear Regression, 3 of 3 settings, best Mean_Absolute")
    assert shown[head + 1].split()[:2] == ["TRY", "MEAN_ABSOLUTE_ERROR"]
    assert "L2 REGULARIZATION WEIGHT" in shown[head + 1]
    best, *others = shown[head + 2 : head + 5]
    assert best.split()[1] == "*"
    errors = [float(best.split()[2]), *(float(line.split()[1]) for line in others)]
    assert errors == sorted(errors)
    few = modelwright("run", "show", "latest", "--tries", "1").out
    assert "1 of 3 tries; see more with --tries." in few
    (sweep,) = modelwright("run", "show", "latest", "--json").json["sweeps"]
    assert [t["about"] for t in sweep["tries"]] == ["sweep"] * 3


def test_a_run_is_followed_step_by_step_and_try_by_try(
    modelwright: Command, pipeline: Path
) -> None:
    modelwright("pipeline", "run", pipeline)
    lines = modelwright("run", "follow", "latest").out.splitlines()
    tries = [line for line in lines if ": try " in line]
    assert len(tries) == 3
    # In the order in which they were done, which is nobody's choice.
    (first,) = (line for line in tries if ": try 1, " in line)
    assert first.startswith("Tune Model Hyperparameters: try 1, Mean_Absolute_Error 0.")
    assert "with L2 regularization weight 0.1; " in first
    assert "; 3 of 3 settings, best Mean_Absolute_Error 0." in tries[-1]
    assert any(line.startswith("Tune Model Hyperparameters: done in ") for line in lines)
    assert lines[-1].endswith(" completed.")
    events = modelwright("run", "follow", "latest", "--json").out.splitlines()
    assert [json.loads(line)["seq"] for line in events] == list(range(1, len(events) + 1))
    assert json.loads(events[-1])["kind"] == "run-finished"


def test_following_a_run_that_fails_ends_as_the_run_did(
    modelwright: Command, tmp_path: Path
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    ran = modelwright("pipeline", "run", path)
    followed = modelwright("run", "follow", "latest")
    assert (followed.status, followed.err.splitlines()[-1]) == (
        ran.status,
        ran.err.splitlines()[-1],
    )
    assert "Execute Python Script: failed [" in followed.out
    assert 'skipped, since "script" did not finish' in followed.out
