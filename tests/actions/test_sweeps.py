from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelwright.actions.home import Home
from modelwright.actions.run_pipeline import begin_run, run_pipeline
from modelwright.actions.sweeps import Sweep, follow_run, sweeps_of, value_of
from modelwright.graph.codec import read
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.runs import NewEvent, NewStep
from tests.actions.homes import SWEEP, open_home, tiny


def told(number: int, value: float | None, settled: int = 2, **more: Any) -> Mapping[str, Any]:
    """What a step tells of a try."""
    metrics = {"metrics": {"AUC": value}} if value is not None else {"error": {"code": "x"}}
    return {
        "about": "sweep",
        "learner": "Forest",
        "metric": "AUC",
        "smallest_is_best": False,
        "try": number,
        "settled": settled,
        "total": 9,
        "settings": {"Trees": number},
        "folds": 5,
        "pruned": False,
        "best_try": 0,
        "best_value": 0.5,
        **metrics,
        **more,
    }


def entered(
    home: Home, *reports: Mapping[str, Any], runner: Mapping[str, Any] | None = None
) -> str:
    """A run in which a step told so much and is still at work."""
    runs = home.workspace.runs
    steps = [NewStep(node="tune", component="tune-model-hyperparameters")]
    run = runs.create("Sweeps", graph=SWEEP, target="local", steps=steps).id
    runs.start(run, runner=runner)
    for report in reports:
        data = {"node": "tune", "report": dict(report)}
        home.workspace.runs.events.append(run, [NewEvent("step-report", data)])
    return run


def test_every_try_of_a_run_is_known_with_the_best_first(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        report = run_pipeline(home, read(SWEEP).graph)
        (sweep,) = sweeps_of(home, "latest")
        table = home.store.get(report.steps[-1].outputs["sweep_results"].digest)
    assert (sweep.node, sweep.run) == ("tune", report.run.id)
    assert sorted(t["try"] for t in sweep.tries) == [0, 1, 2]
    # The step's own table was made on another way.
    frame = table.frame  # type: ignore[attr-defined]
    assert [value_of(t) for t in sweep.ranked()] == frame["Mean_Absolute_Error"].to_list()
    assert sweep.last["best_value"] == frame["Mean_Absolute_Error"][0]


def test_a_result_that_was_taken_over_tells_what_was_tried_for_it(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        first = run_pipeline(home, read(SWEEP).graph)
        second = run_pipeline(home, read(SWEEP).graph)
        assert second.steps[-1].status == "reused"
        assert sweeps_of(home, second.run.id) == sweeps_of(home, first.run.id)
        assert sweeps_of(home, second.run.id)[0].run == first.run.id


def test_a_run_without_a_sweep_has_none(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        run_pipeline(home, tiny().graph)
        assert sweeps_of(home, "latest") == ()
        with pytest.raises(NotFound):
            sweeps_of(home, "no-such-run")


def test_a_sweep_can_be_looked_at_while_it_goes_on(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        run = entered(home, told(0, 0.5, 1), {"about": "something else"}, told(1, 0.4, 2))
        (sweep,) = sweeps_of(home, run)
    assert [t["try"] for t in sweep.tries] == [0, 1]


def test_a_step_that_began_again_is_told_from_its_new_beginning(tmp_path: Path) -> None:
    reports = told(0, 0.5, 1), told(1, 0.4, 2), told(0, 0.5, 1), told(1, 0.4, 2), told(2, 0.9, 3)
    with open_home(tmp_path) as home:
        (sweep,) = sweeps_of(home, entered(home, *reports))
    assert [t["try"] for t in sweep.tries] == [0, 1, 2]


def test_tries_without_a_value_come_last() -> None:
    tries = told(0, None), told(1, 0.4), told(2, 0.99, pruned=True), told(3, 0.7), told(4, 0.7)
    sweep = Sweep("tune", "run", tries)
    assert [t["try"] for t in sweep.ranked()] == [3, 4, 1, 0, 2]
    turned = Sweep("tune", "run", tuple({**t, "smallest_is_best": True} for t in tries))
    assert [t["try"] for t in turned.ranked()] == [1, 3, 4, 0, 2]


def test_a_run_is_followed_from_its_beginning_to_its_end_by_whoever_looks(tmp_path: Path) -> None:
    with open_home(tmp_path) as home, open_home(tmp_path) as elsewhere:
        begun = begin_run(home, read(SWEEP).graph)
        work = threading.Thread(target=begun.work)
        # Begun only when the follower has seen that nothing has happened yet.
        waited: list[float] = []

        def wait(seconds: float) -> None:
            if not waited:
                work.start()
            waited.append(seconds)
            work.join()

        seen = list(follow_run(elsewhere, begun.record.id, wait=wait))
    assert waited
    assert [e.seq for e in seen] == list(range(1, len(seen) + 1))
    assert (seen[0].kind, seen[-1].kind) == ("run-started", "run-finished")
    assert sum(e.kind == "step-report" for e in seen) == 3


def test_following_ends_when_the_program_at_work_is_gone(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        gone = {"host": socket.gethostname(), "pid": 2**22 + 1, "started": 0.0}
        run = entered(home, told(0, 0.5, 1), runner=gone)
        seen = list(follow_run(home, run, wait=lambda _: None))
        assert home.workspace.runs.get(run).status == "failed"
    assert [e.kind for e in seen] == ["step-report"]
