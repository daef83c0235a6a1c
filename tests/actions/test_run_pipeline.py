from __future__ import annotations

import threading
from pathlib import Path

import pytest

from modelwright.actions.run_details import run_details
from modelwright.actions.run_pipeline import (
    RunCancelled,
    RunFailed,
    begin_run,
    require_completed,
    run_pipeline,
)
from modelwright.actions.runs import (
    NoOutput,
    cancel_run,
    find_run,
    list_runs,
    load_output,
    outputs_of,
    read_log,
    show_run,
)
from modelwright.data.table import Table
from modelwright.graph.codec import Layout, read
from modelwright.graph.edits import set_parameter
from modelwright.graph.graph import Graph, NodeId, Pin
from modelwright.graph.problems import PipelineProblems
from modelwright.run import events
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.runs import RunStatus
from tests.actions.homes import broken, open_home, tiny, tutorial


def test_a_run_is_kept_with_its_steps_and_what_they_left(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        report = run_pipeline(home, tiny().graph)
        assert report.run.status is RunStatus.COMPLETED
        assert [(s.node, s.status, s.error) for s in report.steps] == [
            ("typed", "done", None),
            ("chosen", "done", None),
        ]
        assert report.steps[1].outputs["results_dataset"].columns == 1
        assert show_run(home, report.run.id).to_json() == report.to_json()
        value = load_output(home, "latest", Pin.parse("chosen.results_dataset"))
        assert isinstance(value, Table)
        assert value.frame.to_dict(as_series=False) == {"a": [1, 2, 3]}


def test_a_run_of_a_file_is_shown_where_the_file_places_its_nodes(tmp_path: Path) -> None:
    document = tiny()
    places = {NodeId("typed"): (500.0, 60.0), NodeId("chosen"): (40.0, 400.0)}
    with open_home(tmp_path) as home:
        run = begin_run(home, document.graph, layout=Layout(places)).work().run
        assert run_details(home, run.id).layout.positions == places


def test_a_second_run_reuses_everything_and_says_so(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        first = run_pipeline(home, tiny().graph)
        second = run_pipeline(home, tiny().graph)
        assert second.counts == {"reused": 2}
        assert all("same as those of the stored result" in s.reason for s in second.steps)
        assert outputs_of(home, first.run.id) == outputs_of(home, second.run.id)
        assert [r.id for r in list_runs(home).items] == [second.run.id, first.run.id]


def test_a_setting_changes_the_run_but_not_the_pipeline_that_is_kept(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        report = run_pipeline(home, tiny().graph, settings={"chosen.columns": ["b"]})
        assert report.run.parameters == {"chosen.columns": ["b"]}
        assert "- b" not in report.run.graph
        value = load_output(home, report.run.id, Pin.parse("chosen.results_dataset"))
        assert isinstance(value, Table)
        assert value.frame.columns == ["b"]


def test_until_runs_only_what_a_node_needs(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        report = run_pipeline(home, tiny().graph, until="typed")
        assert [s.node for s in report.steps] == ["typed"]
        with pytest.raises(NoOutput, match="was no part of it"):
            load_output(home, report.run.id, Pin.parse("chosen.results_dataset"))


def test_the_metrics_of_evaluate_model_are_kept_whether_it_ran_or_was_reused(
    tmp_path: Path,
) -> None:
    with open_home(tmp_path) as home:
        first = run_pipeline(home, tutorial().graph)
        second = run_pipeline(home, tutorial().graph)
    named = {m.name: m for m in first.metrics}
    assert list(named) == [
        "Mean_Absolute_Error",
        "Root_Mean_Squared_Error",
        "Relative_Squared_Error",
        "Relative_Absolute_Error",
        "Coefficient_of_Determination",
    ]
    error, r2 = named["Relative_Squared_Error"], named["Coefficient_of_Determination"]
    assert error.value is not None
    assert r2.value == pytest.approx(1 - error.value)
    assert r2.node == "evaluate-model"
    assert r2.labels == {"port": "scored_dataset"}
    assert second.metrics == first.metrics


CLUSTERS = """\
modelwright: 1
name: Clusters
nodes:
  rows:
    component: enter-data-manually
    parameters:
      data: |
        a
        1
        1.5
        9
        9.25
        9.5
  clusters:
    component: k-means-clustering
  train:
    component: train-clustering-model
    inputs:
      untrained_model: clusters.untrained_model
      dataset: rows.dataset
  evaluate:
    component: evaluate-model
    inputs:
      scored_dataset: train.results_dataset
      scored_dataset_to_compare: train.results_dataset
"""


def test_the_metrics_of_a_clustering_are_those_of_all_its_clusters(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        report = run_pipeline(home, read(CLUSTERS).graph)
    points = [(m.labels["port"], m.value) for m in report.metrics if m.name == "Number of Points"]
    assert points == [("scored_dataset", 5), ("scored_dataset_to_compare", 5)]


def test_a_failed_step_is_told_with_its_node_and_the_steps_below_are_skipped(
    tmp_path: Path,
) -> None:
    with open_home(tmp_path) as home:
        with pytest.raises(RunFailed, match=r'failed at "script".*no such luck') as caught:
            run_pipeline(home, broken().graph)
        report = show_run(home, "latest")
        assert caught.value.fields["run"] == report.run.id
        assert [s.status for s in report.steps] == ["done", "failed", "skipped"]
        assert report.run.status is RunStatus.FAILED
        assert report.run.error is not None
        assert report.run.error["code"] == caught.value.fields["failures"][0]["code"]
        assert "so far so good" in read_log(home, report.run.id, "script")
        assert read_log(home, report.run.id, "chosen") == ""
        with pytest.raises(NoOutput, match='"chosen" is skipped'):
            load_output(home, report.run.id, Pin.parse("chosen.results_dataset"))


def test_a_pipeline_with_problems_enters_no_run(tmp_path: Path) -> None:
    graph = set_parameter(tiny().graph, NodeId("chosen"), "columns", ["nowhere"])
    with open_home(tmp_path) as home:
        with pytest.raises(PipelineProblems, match="nowhere"):
            run_pipeline(home, graph)
        assert list_runs(home).total == 0
        with pytest.raises(NotFound, match="latest"):
            find_run(home, "latest")


def test_what_happened_can_be_read_again_in_order(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        told: list[str] = []
        begun = begin_run(home, broken().graph)
        report = begun.work(lambda e: told.append(e.kind))
        kept = home.workspace.runs.events.list(report.run.id)
    assert [e.seq for e in kept] == list(range(1, len(kept) + 1))
    assert [e.kind for e in kept] == [k for k in told if k not in ("step-log", "step-progress")]
    assert "step-log" in told
    failed = next(e for e in kept if e.kind == "step-failed")
    assert failed.data["node"] == "script"
    assert "seq" not in failed.data


def test_a_run_ends_when_someone_asks_for_it_in_the_workspace(tmp_path: Path) -> None:
    slow = _with_script("import time\n\ndef azureml_main(a, b):\n    time.sleep(2)\n    return a\n")
    with open_home(tmp_path) as home:
        begun = begin_run(home, slow)

        def ask(event: events.Event) -> None:
            if isinstance(event, events.StepRunning) and event.node == "script":
                asking = threading.Thread(target=cancel_run, args=(home, begun.record.id))
                asking.start()
                asking.join()

        report = begun.work(ask)
        assert report.run.status is RunStatus.CANCELLED
        assert {s.node: s.status for s in report.steps}["chosen"] == "cancelled"
        with pytest.raises(RunCancelled, match=report.run.id):
            require_completed(report)


def test_what_a_listener_raises_ends_the_run_as_failed(tmp_path: Path) -> None:
    def refuse(event: events.Event) -> None:
        raise ZeroDivisionError

    with open_home(tmp_path) as home:
        begun = begin_run(home, tiny().graph)
        with pytest.raises(ZeroDivisionError):
            begun.work(refuse)
        report = show_run(home, begun.record.id)
    assert report.run.status is RunStatus.FAILED
    assert {s.status.value for s in report.steps} == {"cancelled"}


def _with_script(script: str) -> Graph:
    return set_parameter(broken().graph, NodeId("script"), "script", script)
