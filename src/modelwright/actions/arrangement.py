"""Where the nodes of a pipeline stand that nobody has placed."""

from __future__ import annotations

from collections.abc import Mapping

from modelwright.graph.graph import Graph, NodeId

Place = tuple[float, float]

_RIGHT, _DOWN = 280.0, 140.0
_START: Place = (40.0, 40.0)


def arrange(graph: Graph, known: Mapping[NodeId, Place]) -> dict[NodeId, Place]:
    """A place for each node: the known one, or one beside or below what it is wired to.

    known: (x, y) by node, of other graphs' nodes too; those are left out.
    """
    places = {n: known[n] for n in graph.nodes if n in known}
    for node in graph.order():
        if node not in places:
            places[node] = _free(_wish(graph, node, places), set(places.values()))
    return {n: places[n] for n in graph.nodes if n in places}


def _wish(graph: Graph, node: NodeId, places: Mapping[NodeId, Place]) -> Place:
    above = [places[w.source.node] for w in graph.wires_into(node) if w.source.node in places]
    below = [places[w.target.node] for w in graph.wires_from(node) if w.target.node in places]
    if above:
        return above[0][0], max(y for _, y in above) + _DOWN
    if below:
        return below[0][0], min(y for _, y in below) - _DOWN
    return _START


def _free(wish: Place, taken: set[Place]) -> Place:
    """The wish, or the next place to its right that no node covers."""
    x, y = wish
    while any(abs(x - other) < _RIGHT and abs(y - high) < _DOWN for other, high in taken):
        x += _RIGHT
    return x, y
