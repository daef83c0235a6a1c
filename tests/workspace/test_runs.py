from __future__ import annotations

import math
import re

import pytest

from modelwright.data.artifact import Digest
from modelwright.workspace import Workspace
from modelwright.workspace.errors import NotFound, WrongState
from modelwright.workspace.records.runs import (
    Experiment,
    Metric,
    NewEvent,
    NewStep,
    Output,
    RunStatus,
    StepChange,
    StepStatus,
)
from tests.workspace.conftest import FakeClock

DIGEST = Digest("sha256:" + "1" * 64)
NO_RUN = "run-20200101-000000-0000"


def test_a_run_is_read_back_as_it_was_handed_in(workspace: Workspace, clock: FakeClock) -> None:
    run = workspace.runs.create(
        "Tutorial",
        graph="nodes: {}",
        name="First try",
        draft_id="draft-1",
        draft_revision=7,
        parameters={"split.fraction": 0.7},
        target="local",
        person="owner",
        tags={"why": "to see"},
    )

    assert workspace.runs.get(run.id) == run
    assert re.fullmatch(r"run-20261122-153012-[0-9a-f]{4}", run.id)
    assert (run.experiment, run.name, run.graph) == ("Tutorial", "First try", "nodes: {}")
    assert (run.draft_id, run.draft_revision) == ("draft-1", 7)
    assert run.parameters == {"split.fraction": 0.7}
    assert (run.target, run.person, run.tags) == ("local", "owner", {"why": "to see"})
    assert (run.status, run.created_at) == (RunStatus.QUEUED, clock.time)
    assert (run.started_at, run.finished_at, run.error, run.runner) == (None,) * 4


def test_a_run_without_a_name_is_called_by_its_id(workspace: Workspace) -> None:
    run = workspace.runs.create("Tutorial", graph="")
    assert run.name == run.id


def test_many_runs_of_one_second_have_ids_of_their_own(workspace: Workspace) -> None:
    # 900 draws of 65,536 meet almost surely; a second draw then gives another id.
    with workspace.transaction():
        runs = [workspace.runs.create("Tutorial", graph="") for _ in range(900)]
    assert len({run.id for run in runs}) == 900


def test_a_run_goes_from_queued_to_its_end(workspace: Workspace, clock: FakeClock) -> None:
    run = workspace.runs.create("Tutorial", graph="")
    begun = clock.move_on(seconds=1)
    started = workspace.runs.start(run.id, runner={"host": "here", "pid": 7})
    assert (started.status, started.started_at) == (RunStatus.RUNNING, begun)
    assert started.runner == {"host": "here", "pid": 7}

    ended = clock.move_on(seconds=5)
    error = {"code": "missing-column", "message": "gone", "fields": {"column": "price"}}
    failed = workspace.runs.finish(run.id, RunStatus.FAILED, error=error)
    assert (failed.status, failed.finished_at, failed.error) == (RunStatus.FAILED, ended, error)
    assert workspace.runs.get(run.id) == failed


def test_of_two_runners_only_one_gets_a_run(workspace: Workspace) -> None:
    run = workspace.runs.create("Tutorial", graph="")
    workspace.runs.start(run.id)
    with pytest.raises(WrongState, match="running"):
        workspace.runs.start(run.id)


def test_a_run_ends_once(workspace: Workspace) -> None:
    run = workspace.runs.create("Tutorial", graph="")
    workspace.runs.finish(run.id, RunStatus.COMPLETED)
    with pytest.raises(WrongState, match="completed"):
        workspace.runs.finish(run.id, RunStatus.CANCELLED)
    with pytest.raises(ValueError, match="no way to end"):
        workspace.runs.finish(run.id, RunStatus.RUNNING)
    assert workspace.runs.get(run.id).status == RunStatus.COMPLETED


def test_a_running_run_is_asked_to_cancel_and_a_queued_one_ends(
    workspace: Workspace, clock: FakeClock
) -> None:
    queued = workspace.runs.create("Tutorial", graph="")
    running = workspace.runs.create("Tutorial", graph="")
    workspace.runs.start(running.id)
    asked = clock.move_on(seconds=1)

    assert workspace.runs.ask_to_cancel(queued.id).status == RunStatus.CANCELLED
    assert workspace.runs.ask_to_cancel(running.id).cancel_asked_at == asked
    clock.move_on(seconds=1)
    again = workspace.runs.ask_to_cancel(running.id)
    assert (again.status, again.cancel_asked_at) == (RunStatus.RUNNING, asked)

    workspace.runs.finish(running.id, RunStatus.CANCELLED)
    assert workspace.runs.ask_to_cancel(running.id).status == RunStatus.CANCELLED


def test_runs_are_listed_latest_first_by_experiment_status_draft_and_name(
    workspace: Workspace, clock: FakeClock
) -> None:
    ids = []
    for number, experiment in enumerate(("Tutorial", "Évaluation", "Tutorial")):
        clock.move_on(seconds=1)
        run = workspace.runs.create(
            experiment, graph="", name=f"try {number}", draft_id=f"draft-{number % 2}"
        )
        ids.append(run.id)
    workspace.runs.finish(ids[2], RunStatus.COMPLETED)

    def listed(**wanted: object) -> list[str]:
        return [run.name for run in workspace.runs.list(**wanted).items]  # type: ignore[arg-type]  # one call for all

    assert listed() == ["try 2", "try 1", "try 0"]
    assert listed(experiment="Tutorial") == ["try 2", "try 0"]
    assert listed(statuses=[RunStatus.QUEUED]) == ["try 1", "try 0"]
    assert listed(statuses=[RunStatus.QUEUED, RunStatus.COMPLETED]) == ["try 2", "try 1", "try 0"]
    assert listed(draft_id="draft-0") == ["try 2", "try 0"]
    assert listed(search="evaluation") == ["try 1"]
    assert listed(search=ids[2]) == ["try 2"]


def test_runs_come_in_pages(workspace: Workspace, clock: FakeClock) -> None:
    ids = []
    for _ in range(5):
        clock.move_on(seconds=1)
        ids.append(workspace.runs.create("Tutorial", graph="").id)

    first = workspace.runs.list(limit=2)
    second = workspace.runs.list(limit=2, after=first.after)
    third = workspace.runs.list(limit=2, after=second.after)

    assert [[run.id for run in page.items] for page in (first, second, third)] == [
        [ids[4], ids[3]],
        [ids[2], ids[1]],
        [ids[0]],
    ]
    assert (first.total, third.after) == (5, None)


def test_experiments_are_counted_the_one_used_last_first(
    workspace: Workspace, clock: FakeClock
) -> None:
    workspace.runs.create("One", graph="")
    early = clock.time
    late = clock.move_on(hours=1)
    workspace.runs.create("Two", graph="")
    workspace.runs.create("Two", graph="")

    assert workspace.runs.experiments() == (Experiment("Two", 2, late), Experiment("One", 1, early))


def test_steps_keep_the_order_of_the_plan(workspace: Workspace) -> None:
    run = workspace.runs.create(
        "Tutorial",
        graph="",
        steps=[
            NewStep(node="z", component="SplitData", key="k1", reason="the fraction changed"),
            NewStep(
                node="a",
                component="SelectColumns",
                status=StepStatus.REUSED,
                reason="nothing changed since run-1",
                outputs={"dataset": Output(DIGEST, 205, 25)},
            ),
        ],
    )
    workspace.runs.steps.add(run.id, [NewStep(node="b", component="TrainModel")])

    steps = workspace.runs.steps.list(run.id)
    assert [step.node for step in steps] == ["z", "a", "b"]
    assert (steps[0].component, steps[0].key, steps[0].reason, steps[0].status) == (
        "SplitData",
        "k1",
        "the fraction changed",
        StepStatus.QUEUED,
    )
    assert steps[1].outputs == {"dataset": Output(DIGEST, 205, 25)}
    assert steps[1].finished_at == run.created_at
    assert workspace.runs.steps.get(run.id, "b") == steps[2]


def test_a_step_is_timed_from_its_start_to_its_end(workspace: Workspace, clock: FakeClock) -> None:
    run = workspace.runs.create("T", graph="", steps=[NewStep(node="a", component="C")])
    begun = clock.move_on(seconds=1)
    workspace.runs.steps.change(run.id, [StepChange(node="a", status=StepStatus.RUNNING)])
    ended = clock.move_on(seconds=2.5)
    workspace.runs.steps.change(
        run.id,
        [
            StepChange(
                node="a",
                status=StepStatus.DONE,
                outputs={"model": Output(DIGEST)},
                log="runs/a.log",
            )
        ],
    )

    step = workspace.runs.steps.get(run.id, "a")
    assert (step.status, step.started_at, step.finished_at) == (StepStatus.DONE, begun, ended)
    assert (step.duration_s, step.log) == (2.5, "runs/a.log")
    assert step.outputs == {"model": Output(DIGEST, None, None)}


def test_a_time_that_the_runner_measured_is_kept(workspace: Workspace) -> None:
    run = workspace.runs.create("T", graph="", steps=[NewStep(node="a", component="C")])
    workspace.runs.steps.change(run.id, [StepChange(node="a", status=StepStatus.RUNNING)])
    workspace.runs.steps.change(
        run.id, [StepChange(node="a", status=StepStatus.DONE, duration_s=0.25)]
    )
    assert workspace.runs.steps.get(run.id, "a").duration_s == 0.25


def test_a_step_that_is_tried_again_forgets_its_former_failure(workspace: Workspace) -> None:
    run = workspace.runs.create("T", graph="", steps=[NewStep(node="a", component="C")])
    change = workspace.runs.steps.change
    change(run.id, [StepChange(node="a", status=StepStatus.RUNNING)])
    error = {"code": "out-of-memory", "message": "too large", "fields": {}}
    change(run.id, [StepChange(node="a", status=StepStatus.FAILED, error=error)])
    assert workspace.runs.steps.get(run.id, "a").error == error

    change(run.id, [StepChange(node="a", status=StepStatus.RUNNING)])
    step = workspace.runs.steps.get(run.id, "a")
    assert (step.error, step.finished_at, step.duration_s) == (None, None, None)


def test_steps_left_open_are_ended_together(workspace: Workspace) -> None:
    nodes = [NewStep(node=node, component="C") for node in "abc"]
    run = workspace.runs.create("T", graph="", steps=nodes)
    workspace.runs.steps.change(run.id, [StepChange(node="a", status=StepStatus.DONE)])

    ended = workspace.runs.steps.end_open(run.id, StepStatus.CANCELLED, reason="the run was ended")

    assert ended == 2
    assert [step.status for step in workspace.runs.steps.list(run.id)] == [
        StepStatus.DONE,
        StepStatus.CANCELLED,
        StepStatus.CANCELLED,
    ]
    with pytest.raises(ValueError, match="no way to end"):
        workspace.runs.steps.end_open(run.id, StepStatus.QUEUED, reason="")


def test_a_change_of_an_unknown_step_changes_no_other(workspace: Workspace) -> None:
    run = workspace.runs.create("T", graph="", steps=[NewStep(node="split", component="C")])
    with pytest.raises(NotFound):
        workspace.runs.steps.change(
            run.id,
            [
                StepChange(node="split", status=StepStatus.DONE),
                StepChange(node="spilt", status=StepStatus.DONE),
            ],
        )
    assert workspace.runs.steps.get(run.id, "split").status == StepStatus.QUEUED
    with pytest.raises(NotFound, match='Nearest: "split"'):
        workspace.runs.steps.get(run.id, "spilt")


def test_metrics_are_kept_in_order_and_what_is_undefined_is_none(workspace: Workspace) -> None:
    run = workspace.runs.create("T", graph="")
    workspace.runs.metrics.add(
        run.id,
        [
            Metric(node="evaluate", name="r2", value=0.9, labels={"model": "left"}),
            Metric(node="evaluate", name="rse", value=math.nan),
            Metric(node="evaluate", name="worst", value=math.inf),
        ],
    )
    workspace.runs.metrics.add(run.id, [])

    metrics = workspace.runs.metrics.list(run.id)
    assert [(metric.name, metric.value) for metric in metrics] == [
        ("r2", 0.9),
        ("rse", None),
        ("worst", math.inf),
    ]
    assert metrics[0].labels == {"model": "left"}


def test_events_are_told_again_from_any_number_on(workspace: Workspace, clock: FakeClock) -> None:
    run = workspace.runs.create("T", graph="")
    last = workspace.runs.events.append(
        run.id, [NewEvent("step-started", {"node": "a"}), NewEvent("step-done", {"node": "a"})]
    )
    assert last == 2
    assert workspace.runs.events.append(run.id, [NewEvent("run-done", {})]) == 3
    assert workspace.runs.events.append(run.id, []) == 3

    events = workspace.runs.events.list(run.id, since=1)
    assert [(event.seq, event.kind, event.data) for event in events] == [
        (2, "step-done", {"node": "a"}),
        (3, "run-done", {}),
    ]
    assert events[0].at == clock.time
    assert [event.seq for event in workspace.runs.events.list(run.id, limit=2)] == [1, 2]
    assert workspace.runs.events.list(run.id, since=3) == ()


def test_a_finished_run_is_forgotten_with_all_that_belongs_to_it(workspace: Workspace) -> None:
    run = workspace.runs.create("T", graph="", steps=[NewStep(node="a", component="C")])
    workspace.runs.events.append(run.id, [NewEvent("run-done", {})])
    workspace.runs.metrics.add(run.id, [Metric(node="a", name="r2", value=1)])
    with pytest.raises(WrongState, match="Cancel it first"):
        workspace.runs.delete(run.id)
    workspace.runs.finish(run.id, RunStatus.COMPLETED)

    workspace.runs.delete(run.id)

    assert workspace.runs.list().total == 0
    assert workspace.runs.steps.list(run.id) == ()
    assert workspace.runs.metrics.list(run.id) == ()
    assert workspace.runs.events.list(run.id) == ()


def test_an_unknown_run_is_refused_with_the_nearest_id(workspace: Workspace) -> None:
    runs = workspace.runs
    known = runs.create("T", graph="")
    for change in (
        lambda: runs.get(NO_RUN),
        lambda: runs.start(NO_RUN),
        lambda: runs.finish(NO_RUN, RunStatus.FAILED),
        lambda: runs.ask_to_cancel(NO_RUN),
        lambda: runs.delete(NO_RUN),
        lambda: runs.steps.add(NO_RUN, [NewStep(node="a", component="C")]),
        lambda: runs.metrics.add(NO_RUN, [Metric(node="a", name="r2", value=1)]),
        lambda: runs.events.append(NO_RUN, [NewEvent("run-done", {})]),
    ):
        with pytest.raises(NotFound):
            change()
    with pytest.raises(NotFound) as caught:
        runs.get(known.id[:-1] + "x")
    assert caught.value.fields["near"] == [known.id]
