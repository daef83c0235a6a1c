from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from modelwright.actions.interrupted import end_interrupted_runs, is_alive, this_process
from modelwright.actions.run_pipeline import begin_run
from modelwright.actions.runs import show_run
from modelwright.workspace.records.runs import RunStatus
from tests.actions.homes import open_home, tiny

BEGIN_AND_DIE = """
import os, sys
from pathlib import Path
from modelwright.actions.home import Home
from modelwright.actions.run_pipeline import begin_run
from tests.actions.homes import open_home, tiny
print(begin_run(open_home(Path(sys.argv[1])), tiny().graph).record.id, flush=True)
os._exit(1)
"""


def test_a_run_whose_program_died_is_told_as_interrupted_when_the_home_is_opened(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN_AND_DIE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    run_id = done.stdout.strip()
    assert run_id, done.stderr
    with open_home(tmp_path) as home:
        report = show_run(home, run_id)
    assert report.run.status is RunStatus.FAILED
    assert report.run.error is not None
    assert report.run.error["code"] == "run-interrupted"
    assert {s.status.value for s in report.steps} == {"cancelled"}


def test_a_run_that_is_being_worked_on_is_left_alone(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        begun = begin_run(home, tiny().graph)
        assert end_interrupted_runs(home) == ()
        assert begun.work().run.status is RunStatus.COMPLETED


def test_a_process_is_told_from_a_later_one_of_the_same_number() -> None:
    here = this_process()
    assert is_alive(here)
    assert not is_alive({**here, "started": here["started"] - 3600})
    assert is_alive({**here, "host": f"not-{socket.gethostname()}", "pid": 1})
    assert is_alive(None)
