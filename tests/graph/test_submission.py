"""Values given at submission are checked and set where they belong."""

from __future__ import annotations

import pytest

from modelwright.data.schema import ColumnType
from modelwright.graph import edits
from modelwright.graph.check import check
from modelwright.graph.codec import read
from modelwright.graph.graph import Graph, NodeId
from modelwright.graph.submission import WrongParameterValue, check_values, submitted
from tests.graph.pieces import assets, library

TEXT = """\
modelwright: 1
parameters:
  data: {default: cars, sets: [cars.name]}
  share: {default: 0.7, sets: [halve.fraction, other.fraction]}
nodes:
  cars: {component: dataset, parameters: {name: cars, version: 3}}
  halve: {component: halve, inputs: {dataset: cars.dataset}}
  other: {component: halve, inputs: {dataset: cars.dataset}}
"""


def graph() -> Graph:
    return read(TEXT).graph


def dataset_of(assigned: Graph) -> dict[str, object]:
    return dict(assigned.nodes[NodeId("cars")].parameters)


def test_a_value_goes_to_every_node_that_the_parameter_sets() -> None:
    assigned = edits.assign(graph(), {"share": 0.2})
    values = [assigned.nodes[NodeId(n)].parameters["fraction"] for n in ("halve", "other")]
    assert values == [0.2, 0.2]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"name": "cars", "version": 3}),
        ({"data": "cars"}, {"name": "cars", "version": 3}),
        ({"data": "boats"}, {"name": "boats"}),
        ({"data": "boats@2"}, {"name": "boats", "version": 2}),
        ({"data": "boats", "cars.version": 5}, {"name": "boats", "version": 5}),
    ],
)
def test_another_data_set_leaves_the_version_of_the_former_one_behind(
    given: dict[str, object], expected: dict[str, object]
) -> None:
    assert dataset_of(edits.assign(graph(), given)) == expected


@pytest.mark.parametrize("value", [1.5, "much", None, [0.5]])
def test_a_value_that_a_node_does_not_take_is_refused_by_the_parameter_s_name(
    value: object,
) -> None:
    with pytest.raises(WrongParameterValue) as raised:
        check_values(graph(), {"share": value}, library())
    fields = raised.value.fields
    assert (fields["name"], fields["node"], fields["parameter"]) == ("share", "halve", "fraction")
    assert "fraction" in raised.value.remedy


def test_values_that_are_allowed_or_of_no_pipeline_parameter_pass() -> None:
    check_values(graph(), {"share": 0.2, "data": "boats", "halve.fraction": 7}, library())


def test_a_default_that_its_node_does_not_take_is_a_warning_on_the_draft() -> None:
    known = assets(make=ColumnType.STRING)
    text = TEXT.replace("default: 0.7", "default: 7").replace(", version: 3", "")
    (first, second) = check(read(text).graph, library=library(), assets=known).problems
    assert (first.code, first.severity) == ("wrong-parameter-default", "warning")
    assert (first.node, second.node, first.parameter) == ("halve", "other", "fraction")


def test_what_counts_at_submission_is_every_default_with_what_was_given() -> None:
    given = {"share": 0.1, "halve.fraction": 0.3}
    assert submitted(graph(), given) == {"data": "cars", "share": 0.1, "halve.fraction": 0.3}
