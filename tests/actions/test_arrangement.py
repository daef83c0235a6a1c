from __future__ import annotations

from modelwright.actions.arrangement import arrange
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire

A, B, C, D = (NodeId(name) for name in "abcd")


def graph(*wires: tuple[NodeId, NodeId]) -> Graph:
    return Graph(
        nodes=dict.fromkeys((A, B, C, D), Node("any")),
        wires=frozenset(Wire(Pin(s, "out"), Pin(t, "in")) for s, t in wires),
    )


def test_a_known_place_is_kept_and_places_of_other_nodes_are_left_out() -> None:
    places = arrange(graph(), {A: (500.0, 70.0), NodeId("gone"): (0.0, 0.0)})
    assert places[A] == (500.0, 70.0)
    assert set(places) == {A, B, C, D}


def test_a_new_node_stands_below_what_feeds_it() -> None:
    places = arrange(graph((A, B)), {A: (100.0, 40.0)})
    assert places[B] == (100.0, 180.0)


def test_a_new_node_without_sources_stands_above_what_it_feeds() -> None:
    places = arrange(graph((A, B)), {B: (100.0, 400.0)})
    assert places[A] == (100.0, 260.0)


def test_no_two_nodes_stand_on_one_another() -> None:
    places = arrange(graph((A, B), (A, C), (A, D)), {A: (0.0, 0.0)})
    assert len(set(places.values())) == 4
    assert sorted(places[n] for n in (B, C, D)) == [(0.0, 140.0), (280.0, 140.0), (560.0, 140.0)]


def test_a_graph_with_a_cycle_gets_places_for_the_rest() -> None:
    assert set(arrange(graph((A, B), (B, A)), {})) == {C, D}
