"""Runs whose program ended in the middle: they are told apart from those still at work."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelwright.data.errors import ModelwrightError
from modelwright.workspace.errors import WrongState
from modelwright.workspace.records.runs import RunStatus, StepStatus

if TYPE_CHECKING:
    from modelwright.actions.home import Home

_SAME_START_S = 1.0


class RunInterrupted(ModelwrightError):
    """The program that worked on a run ended before the run did."""

    code = "run-interrupted"

    def __init__(self, run: str) -> None:
        super().__init__(
            f"The program that worked on {run} ended in the middle of it.",
            remedy="Run the pipeline again; steps that had finished are reused.",
            run=run,
        )


def this_process() -> dict[str, Any]:
    """What tells this process from every other, as JSON."""
    import psutil

    process = psutil.Process()
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": process.create_time()}


def is_alive(runner: Mapping[str, Any] | None) -> bool:
    """Whether the process may still be at work; one of another machine always may."""
    import psutil

    if not runner or runner.get("host") != socket.gethostname():
        return True
    try:
        started = psutil.Process(int(runner["pid"])).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return bool(abs(started - float(runner["started"])) < _SAME_START_S)


def end_interrupted_runs(home: Home) -> tuple[str, ...]:
    """Give every run whose process is gone its end; their ids."""
    runs = home.workspace.runs
    ended = []
    for run in runs.list(statuses=(RunStatus.RUNNING,), limit=1000).items:
        if is_alive(run.runner):
            continue
        error = RunInterrupted(run.id)
        try:
            with home.workspace.transaction():
                runs.finish(run.id, RunStatus.FAILED, error=error.to_json())
                runs.steps.end_open(
                    run.id, StepStatus.CANCELLED, reason="The program that ran it ended."
                )
        except WrongState:
            # Another process has just seen the same.
            continue
        ended.append(run.id)
    return tuple(ended)
