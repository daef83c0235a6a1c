"""Edits change what they say and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from modelwright.graph import edits
from modelwright.graph.codec import Document, read
from modelwright.graph.graph import Graph, Node, NodeId, Pin
from tests.graph.test_codec import documents

CHAIN = """\
modelwright: 1
parameters:
  share: {default: 0.7, sets: [halve.fraction]}
nodes:
  cars: {component: dataset, parameters: {name: cars}}
  pick: {component: pick, inputs: {dataset: cars.dataset}}
  halve: {component: halve, inputs: {dataset: pick.dataset}}
"""


def chain() -> Graph:
    return read(CHAIN).graph


def sources_of(graph: Graph, node: str) -> list[str]:
    return [str(w.source) for w in graph.wires_into(NodeId(node))]


@settings(max_examples=40, deadline=None)
@given(documents())
def test_removing_a_node_removes_its_wires_and_nothing_else(document: Document) -> None:
    graph = document.graph
    gone = next(iter(graph.nodes))
    left = edits.remove_nodes(graph, [gone])
    assert set(left.nodes) == set(graph.nodes) - {gone}
    assert left.wires == {w for w in graph.wires if gone not in (w.source.node, w.target.node)}
    assert all(t[0] != gone for p in left.parameters.values() for t in p.targets)


def test_an_added_node_gets_an_id_of_its_own() -> None:
    graph, first = edits.add_node(chain(), Node("halve"))
    graph, second = edits.add_node(graph, Node("halve"))
    assert (first, second) == ("halve-2", "halve-3")


def test_a_further_web_service_input_gets_a_name_of_its_own() -> None:
    graph = Graph()
    kinds: tuple[dict[str, str], ...] = ({}, {"name": "WebServiceInput1"}, {}, {"name": "mine"})
    for parameters in kinds:
        graph, _ = edits.add_node(graph, Node("web-service-input", parameters=parameters))
    graph, _ = edits.add_node(graph, Node("web-service-output"))
    names = [node.parameters.get("name") for node in graph.nodes.values()]
    assert names == [None, "WebServiceInput1", "WebServiceInput2", "mine", None]


def test_a_new_wire_takes_the_place_of_the_old_one_on_an_input() -> None:
    graph = edits.connect(chain(), Pin(NodeId("cars"), "dataset"), Pin(NodeId("halve"), "dataset"))
    assert sources_of(graph, "halve") == ["cars.dataset"]


def test_a_web_service_input_joins_the_wire_that_is_there() -> None:
    graph, ask = edits.add_node(chain(), Node("web-service-input"), node_id="ask")
    target = Pin(NodeId("pick"), "dataset")
    graph = edits.connect(graph, Pin(ask, "rows"), target)
    assert sources_of(graph, "pick") == ["ask.rows", "cars.dataset"]
    graph = edits.connect(graph, Pin(NodeId("halve"), "first"), target)
    assert sources_of(graph, "pick") == ["ask.rows", "halve.first"]


def test_removing_with_healing_joins_the_neighbours() -> None:
    graph = edits.remove_and_heal(chain(), NodeId("pick"), through=("dataset", "dataset"))
    assert sources_of(graph, "halve") == ["cars.dataset"]
    assert "pick" not in graph.nodes


def test_a_parameter_is_set_and_reset() -> None:
    graph = edits.set_parameter(chain(), NodeId("halve"), "fraction", 0.9)
    assert graph.nodes[NodeId("halve")].parameters == {"fraction": 0.9}
    assert edits.reset_parameter(graph, NodeId("halve"), "fraction") == chain()


def test_values_given_at_submission_reach_the_nodes() -> None:
    given_share = edits.assign(chain(), {"share": 0.6, "pick.columns": ["price"]})
    assert given_share.nodes[NodeId("halve")].parameters == {"fraction": 0.6}
    assert given_share.nodes[NodeId("pick")].parameters == {"columns": ["price"]}
    assert edits.assign(chain(), {}).nodes[NodeId("halve")].parameters == {"fraction": 0.7}


def test_a_value_for_something_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(edits.UnknownPipelineParameter, match='Nearest: "share"'):
        edits.assign(chain(), {"shore": 1})
    with pytest.raises(edits.UnknownNode, match='Nearest: "halve"'):
        edits.assign(chain(), {"halv.fraction": 1})


def test_pasting_keeps_wires_among_the_pasted_and_gives_new_ids() -> None:
    piece = chain().only([NodeId("pick"), NodeId("halve")])
    graph, ids = edits.paste(chain(), piece)
    assert ids == {"pick": "pick-2", "halve": "halve-2"}
    assert sources_of(graph, "halve-2") == ["pick-2.dataset"]
    assert sources_of(graph, "pick-2") == []


def test_a_promoted_parameter_is_set_through_its_name() -> None:
    graph = edits.promote_parameter(
        chain(), "columns", node_id=NodeId("pick"), parameter="columns", default="all"
    )
    assert edits.assign(graph, {}).nodes[NodeId("pick")].parameters == {"columns": "all"}
