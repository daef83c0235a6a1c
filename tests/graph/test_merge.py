from __future__ import annotations

from dataclasses import replace

from modelwright.graph.edits import remove_nodes, set_parameter
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.graph.merge import merge

A, B, C = NodeId("a"), NodeId("b"), NodeId("c")


def graph() -> Graph:
    return Graph(
        nodes={A: Node("dataset", parameters={"name": "cars"}), B: Node("split-data")},
        wires=frozenset([Wire(Pin(A, "dataset"), Pin(B, "dataset"))]),
    )


def test_what_one_side_changed_is_kept_or_taken() -> None:
    mine = set_parameter(graph(), B, "fraction", 0.6)
    theirs = set_parameter(graph(), A, "name", "trucks").with_node(C, Node("score-model"))
    made = merge(graph(), mine, theirs)
    assert made.graph.nodes[A].parameters == {"name": "trucks"}
    assert made.graph.nodes[B].parameters == {"fraction": 0.6}
    assert C in made.graph.nodes
    assert made.clashes == ()
    assert made.kept == {B: ("fraction",)}
    assert made.taken == {A: ("name",), C: ("node",)}


def test_two_parameters_of_one_node_are_put_together() -> None:
    mine = set_parameter(graph(), B, "fraction", 0.6)
    theirs = set_parameter(graph(), B, "seed", 7)
    assert merge(graph(), mine, theirs).graph.nodes[B].parameters == {"fraction": 0.6, "seed": 7}


def test_a_parameter_that_both_changed_is_mine_unless_theirs_is_chosen() -> None:
    mine = set_parameter(graph(), B, "fraction", 0.6)
    theirs = set_parameter(graph(), B, "fraction", 0.7)
    made = merge(graph(), mine, theirs)
    assert [(c.key, c.mine, c.theirs) for c in made.clashes] == [("b:fraction", 0.6, 0.7)]
    assert made.graph == mine
    chosen = merge(graph(), mine, theirs, choices={"b:fraction": "theirs"})
    assert chosen.graph == theirs


def test_a_node_taken_away_by_one_and_changed_by_the_other_is_a_clash() -> None:
    mine = remove_nodes(graph(), [B])
    theirs = set_parameter(graph(), B, "seed", 7)
    made = merge(graph(), mine, theirs)
    assert [(c.key, c.mine, c.theirs) for c in made.clashes] == [("b:node", None, "split-data")]
    assert B not in made.graph.nodes
    back = merge(graph(), mine, theirs, choices={"b:node": "theirs"}).graph
    assert B in back.nodes


def test_an_input_that_both_feed_otherwise_is_a_clash_with_its_port() -> None:
    base = graph().with_node(C, Node("dataset"))
    other = Wire(Pin(C, "dataset"), Pin(B, "dataset"))
    mine = replace(base, wires=frozenset([other]))
    theirs = replace(base, wires=frozenset())
    made = merge(base, mine, theirs)
    assert [(c.key, c.mine, c.theirs) for c in made.clashes] == [("b.dataset", ["c.dataset"], [])]
    assert made.graph.wires == {other}
    chosen = merge(base, mine, theirs, choices={"b.dataset": "theirs"})
    assert chosen.graph.wires == frozenset()


def test_a_wire_of_theirs_into_a_node_i_removed_falls_away() -> None:
    base = Graph(nodes={A: Node("dataset"), B: Node("split-data")})
    theirs = replace(base, wires=frozenset([Wire(Pin(A, "dataset"), Pin(B, "dataset"))]))
    made = merge(base, remove_nodes(base, [B]), theirs)
    assert made.graph.wires == frozenset()
    assert list(made.graph.nodes) == [A]
