"""Checking a draft: each way it can be wrong has a code, a place and a remedy."""

from __future__ import annotations

from dataclasses import replace

from modelwright.components.outline import TableOutline
from modelwright.data.schema import ColumnType
from modelwright.graph.check import Check, check
from modelwright.graph.codec import read
from modelwright.graph.graph import Graph, NodeId, Pin
from modelwright.graph.problems import Problem
from tests.graph.pieces import assets, library

CARS = assets(make=ColumnType.STRING, price=ColumnType.DOUBLE)

GOOD = """\
modelwright: 1
nodes:
  cars: {component: dataset, parameters: {name: cars}}
  pick: {component: pick, parameters: {columns: [price]}, inputs: {dataset: cars.dataset}}
  halve: {component: halve, inputs: {dataset: pick.dataset}}
"""


def graph(text: str) -> Graph:
    return read(text).graph


def checked(text: str) -> Check:
    return check(graph(text), library=library(), assets=CARS)


def only_problem(text: str) -> Problem:
    (problem,) = checked(text).problems
    return problem


def test_a_sound_draft_has_no_problem_and_its_columns_are_known_before_any_run() -> None:
    result = checked(GOOD)
    assert result.problems == ()
    outline = result.outlines[Pin(NodeId("pick"), "dataset")]
    assert isinstance(outline, TableOutline)
    assert outline.schema.names == ("price",)
    assert result.outlines[Pin(NodeId("halve"), "first")] is None


def test_a_missing_column_is_placed_on_its_node_with_the_nearest_name() -> None:
    problem = only_problem(GOOD.replace("[price]", "[prise]"))
    assert (problem.code, problem.node, problem.column) == ("missing-column", "pick", "prise")
    assert 'Nearest: "price"' in problem.remedy


def test_an_unknown_data_set_is_told_with_its_name() -> None:
    problem = only_problem(GOOD.replace("{name: cars}", "{name: carz}"))
    assert (problem.code, problem.node) == ("unknown-dataset", "cars")
    assert 'Nearest: "cars"' in problem.remedy


def test_an_unknown_component_keeps_its_parameters_and_names_the_nearest() -> None:
    text = GOOD.replace("component: halve", "component: halves, parameters: {fraction: 0.7}")
    problem = only_problem(text)
    assert (problem.code, problem.node) == ("unknown-component", "halve")
    assert 'Nearest: "halve"' in problem.remedy
    assert graph(text).nodes[NodeId("halve")].parameters == {"fraction": 0.7}


def test_a_component_of_a_newer_version_is_refused() -> None:
    problem = only_problem(GOOD.replace("component: halve", "component: halve, version: 7"))
    assert (problem.code, problem.fields["version"]) == ("newer-component", 7)


def test_each_wrong_parameter_is_a_problem_of_its_own_with_a_reset_as_its_fix() -> None:
    settings = "component: halve, parameters: {fraction: 1.5, mode: sideways, colour: red}"
    problems = checked(GOOD.replace("component: halve", settings)).problems
    assert [(p.code, p.parameter) for p in problems] == [
        ("invalid-parameter", "fraction"),
        ("invalid-parameter", "mode"),
        ("invalid-parameter", "colour"),
    ]
    assert problems[0].fix is not None
    assert problems[0].fix.edits[0]["edit"] == "reset_parameter"


def test_a_required_parameter_that_is_not_set_is_missing() -> None:
    problem = only_problem(GOOD.replace(", parameters: {name: cars}", ""))
    assert (problem.code, problem.node, problem.parameter) == ("missing-parameter", "cars", "name")


def test_an_input_that_is_not_connected_is_named() -> None:
    problem = only_problem(GOOD.replace(", inputs: {dataset: pick.dataset}", ""))
    assert (problem.code, problem.node, problem.port) == ("unconnected-input", "halve", "dataset")


def test_a_wire_between_wrong_ports_is_refused_with_both_kinds_and_can_be_removed() -> None:
    text = GOOD.replace("pick.dataset", "learn.untrained_model") + "  learn: {component: learn}\n"
    problem = only_problem(text)
    assert (problem.code, problem.node, problem.port) == ("wrong-port-type", "halve", "dataset")
    assert problem.fields == {"found": "untrained-model", "wanted": "table"}
    assert "takes a table; the wire from learn.untrained_model brings an untrained model" in (
        problem.happened
    )
    assert problem.fix is not None
    assert problem.fix.edits[0]["source"] == "learn.untrained_model"


def test_a_wire_from_a_port_or_node_that_is_not_there_is_told() -> None:
    assert only_problem(GOOD.replace("pick.dataset", "pick.rows")).code == "unknown-port"
    problem = only_problem(GOOD.replace("pick.dataset", "pik.dataset"))
    assert problem.code == "unknown-node"
    assert "Nearest: pick" in problem.remedy


def test_two_wires_into_one_input_are_too_many() -> None:
    problem = only_problem(GOOD.replace("pick.dataset", "[pick.dataset, cars.dataset]"))
    assert (problem.code, problem.port) == ("port-taken", "dataset")


def test_a_web_service_input_may_share_a_port_but_not_be_alone_on_it() -> None:
    request = "  ask: {component: web-service-input}\n"
    shared = GOOD.replace("dataset: cars.dataset", "dataset: [ask.rows, cars.dataset]") + request
    assert checked(shared).problems == ()
    alone = GOOD.replace("dataset: cars.dataset", "dataset: ask.rows") + request
    assert only_problem(alone).code == "input-without-schema"


def test_two_web_service_inputs_of_one_name_are_both_marked() -> None:
    text = GOOD + "  a: {component: web-service-input}\n  b: {component: web-service-input}\n"
    problems = checked(text).problems
    assert [(p.code, p.node) for p in problems] == [
        ("name-not-unique", "a"),
        ("name-not-unique", "b"),
    ]


def test_every_node_of_a_cycle_is_marked_and_no_other() -> None:
    text = GOOD.replace("dataset: cars.dataset", "dataset: halve.first")
    text += "  after: {component: pick, inputs: {dataset: halve.second}}\n"
    problems = checked(text).problems
    assert {(p.code, p.node) for p in problems} == {("cycle", "pick"), ("cycle", "halve")}


def test_an_empty_draft_says_how_to_begin() -> None:
    problem = only_problem("modelwright: 1\nnodes: {}\n")
    assert problem.code == "empty-pipeline"


def test_a_pipeline_parameter_must_set_something_that_is_there() -> None:
    sound = GOOD + "parameters:\n  share: {default: 0.7, sets: [halve.fraction]}\n"
    assert checked(sound).problems == ()
    lost = sound.replace("halve.fraction", "halve.fractoin")
    assert only_problem(lost).code == "unknown-parameter-target"


def test_errors_come_before_warnings_and_in_the_order_of_the_nodes() -> None:
    problems = checked(GOOD.replace("[price]", "[prise]").replace("{name: cars}", "{}")).problems
    assert [p.node for p in problems] == ["cars"]
    warning = replace(problems[0], severity="warning")
    assert warning.to_json()["severity"] == "warning"
