from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelwright.actions.conversions import (
    RunDiffers,
    ScoresDiffer,
    convert_pipeline,
    differences,
    require_parity,
)
from modelwright.actions.run_pipeline import RunFailed, begin_run, run_pipeline
from modelwright.components.library import library
from modelwright.data.table import Table
from modelwright.graph.codec import Document, read, write
from modelwright.graph.edits import describe_node, promote_parameter, remove_nodes, set_parameter
from modelwright.graph.graph import Graph, NodeId, Pin, Wire
from modelwright.inference.convert import StepNotRun
from tests.actions.homes import broken, open_home, tutorial

SPLIT, CLEAN = NodeId("split-data"), NodeId("clean-missing-data")


def test_the_tutorial_becomes_an_inference_pipeline_that_scores_alike(tmp_path: Path) -> None:
    document = tutorial()
    with open_home(tmp_path) as home:
        report = run_pipeline(home, document.graph)
        converted = convert_pipeline(home, report.run.id, document=document)
    assert {
        c.node: c.action for c in converted.conversion.changes if c.node in document.graph.nodes
    } == {
        "automobile-data": "replaced",
        "select-columns": "kept",
        "clean-missing-data": "replaced",
        "split-data": "removed",
        "linear-regression": "removed",
        "train-model": "replaced",
        "score-model": "kept",
        "evaluate-model": "removed",
    }
    assert converted.conversion.absent == ("price",)
    assert converted.parity is not None
    assert converted.parity.verdict == "equal"
    assert converted.parity.compared >= 58
    assert read(write(converted.document)).graph == converted.document.graph
    assert set(converted.document.layout.positions) == set(converted.document.graph.nodes)


def test_a_run_is_converted_by_itself_when_no_file_is_given(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        run_pipeline(home, tutorial().graph, settings={"split-data.seed": 7})
        converted = convert_pipeline(home, "latest")
        assert converted.parity is not None
        assert converted.parity.verdict == "equal"


def test_the_latest_run_is_that_of_the_pipeline_whatever_ran_since(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        trained = run_pipeline(home, tutorial().graph)
        begin_run(home, broken().graph).work()
        run_pipeline(home, set_parameter(tutorial().graph, SPLIT, "seed", 7))
        assert convert_pipeline(home, "latest", document=tutorial()).run.id == trained.run.id


def test_a_pipeline_that_changed_since_is_refused_with_the_nodes_that_differ(
    tmp_path: Path,
) -> None:
    document = tutorial()
    changed = set_parameter(document.graph, SPLIT, "fraction", 0.6)
    with open_home(tmp_path) as home:
        report = run_pipeline(home, document.graph)
        with pytest.raises(RunDiffers, match='"split-data" has another fraction') as caught:
            convert_pipeline(home, report.run.id, document=Document(changed))
    assert caught.value.fields["nodes"] == ["split-data"]


def test_a_run_that_failed_or_did_not_come_far_enough_is_not_converted(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        failed = begin_run(home, broken().graph).work()
        with pytest.raises(RunFailed, match="no such luck"):
            convert_pipeline(home, failed.run.id)
        early = run_pipeline(home, tutorial().graph, until="train-model")
        with pytest.raises(StepNotRun, match="score-model"):
            convert_pipeline(home, early.run.id)


def test_a_later_version_of_a_dataset_does_not_disturb_the_conversion_of_a_run(
    tmp_path: Path,
) -> None:
    with open_home(tmp_path) as home:
        report = run_pipeline(home, tutorial().graph)
        name = "Automobile price data (Raw)"
        old = home.store.get(home.assets.dataset(name).digest)
        assert isinstance(old, Table)
        new = old.of(old.frame.select("make", "price"))
        home.workspace.datasets.add(
            name, digest=home.store.put(new), rows=205, columns=2, schema=new.schema.to_json()
        )
        converted = convert_pipeline(home, report.run.id, document=tutorial())
    assert converted.parity is not None
    assert converted.parity.verdict == "equal"


def test_scores_that_differ_are_told_and_can_be_insisted_on(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        report = run_pipeline(home, tutorial().graph)
        converted = convert_pipeline(home, report.run.id)
    require_parity(converted)
    assert converted.parity is not None
    worse = replace(converted, parity=replace(converted.parity, verdict="different", reason="so"))
    with pytest.raises(ScoresDiffer, match="so"):
        require_parity(worse)


def changed_graphs() -> dict[str, Graph]:
    graph = tutorial().graph
    raw = Pin.parse("automobile-data.dataset")
    first = Pin.parse("select-columns.dataset")
    return {
        '{"clean-missing-data": "has another mode"}': set_parameter(
            graph, CLEAN, "mode", "Remove entire column"
        ),
        '{"evaluate-model": "is no longer there"}': remove_nodes(graph, [NodeId("evaluate-model")]),
        '{"linear-regression": "was linear-regression"}': graph.with_node(
            NodeId("linear-regression"),
            replace(graph.nodes[NodeId("linear-regression")], component="split-data"),
        ),
        '{"clean-missing-data": "has other wires"}': graph.without_wires(
            *graph.wires_into(CLEAN)
        ).with_wires(Wire(raw, Pin(CLEAN, "dataset"))),
        '{"more": "was not there"}': graph.with_node(NodeId("more"), graph.nodes[CLEAN]),
        '{"(pipeline parameters)": "are others"}': promote_parameter(
            graph, "share", node_id=SPLIT, parameter="fraction", default=0.7
        ),
        "{}": describe_node(graph, SPLIT, title="Cut", comment="in two")
        .without_wires(Wire(raw, first))
        .with_wires(Wire(raw, first)),
    }


@pytest.mark.parametrize("expected", list(changed_graphs()))
def test_what_differs_is_named_by_node(expected: str) -> None:
    import json

    found = differences(changed_graphs()[expected], tutorial().graph, library())
    assert found == json.loads(expected)


def test_a_default_that_is_written_out_and_a_parameter_that_does_not_matter_differ_in_nothing() -> (
    None
):
    graph = tutorial().graph
    now = set_parameter(graph, SPLIT, "stratified", False)
    now = set_parameter(now, SPLIT, "regular_expression", "unused")
    assert differences(now, graph, library()) == {}


def test_a_node_of_an_unknown_component_is_compared_as_it_stands() -> None:
    graph = tutorial().graph
    unknown = replace(graph.nodes[SPLIT], component="not-installed")
    then = graph.with_node(SPLIT, unknown)
    now = set_parameter(then, SPLIT, "fraction", 0.1)
    assert differences(now, then, library()) == {"split-data": "has another fraction"}
