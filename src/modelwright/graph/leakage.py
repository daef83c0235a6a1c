"""Figures that are too good: steps that learn from all rows before the rows are divided to be measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelwright.components.contract import Component, Replay
from modelwright.data.table import Table
from modelwright.graph.graph import Graph, NodeId, Pin
from modelwright.graph.problems import Problem

Components = Mapping[NodeId, Component]


def leakage_problems(graph: Graph, components: Components) -> Iterator[Problem]:
    """A warning for each input whose rows a step above has learnt from as a whole."""
    for node_id, component in components.items():
        spec = component.__component__
        connected = [p.name for p in spec.inputs if graph.wires_into(node_id, p.name)]
        port = component.folded(connected)
        learners = list(_learners(graph, components, Pin(node_id, port))) if port else []
        if not learners or port is None:
            continue
        titles = [
            graph.nodes[n].title or components[n].__component__.title for n in sorted(learners)
        ]
        named = " and ".join(f'"{title}"' for title in dict.fromkeys(titles))
        yield Problem(
            "learnt-before-folds",
            f'{named} learnt from all rows before "{spec.title}" divides them into folds, so the '
            "rows that a fold is measured on were seen while it was prepared.",
            "Take its figures as too good, or split the rows before: learn on one part, bring the "
            "other there with Apply Transformation, and measure it with Score Model.",
            node=node_id,
            port=port,
            severity="warning",
            fields={"nodes": [str(n) for n in sorted(learners)]},
        )


def _learners(graph: Graph, components: Components, pin: Pin) -> Iterator[NodeId]:
    """The nodes that learnt from the rows which come to an input, on the way of the rows."""
    seen: set[NodeId] = set()
    left = [pin]
    while left:
        target = left.pop()
        for wire in graph.wires_into(target.node, target.port):
            node_id = wire.source.node
            component = components.get(node_id)
            if component is None or node_id in seen:
                continue
            seen.add(node_id)
            if component.learns_from_rows:
                yield node_id
            for port in component.__component__.inputs:
                if issubclass(port.type, Table):
                    left.append(Pin(node_id, port.name))
                else:
                    yield from _applied(graph, components, node_id, port.name)


def _applied(graph: Graph, components: Components, node_id: NodeId, port: str) -> Iterator[NodeId]:
    """The node that learnt what is applied here, if it learnt from the very rows it is applied to."""
    inputs = components[node_id].__component__.inputs
    rows = {w.source for p in inputs for w in graph.wires_into(node_id, p.name)}
    for wire in graph.wires_into(node_id, port):
        learner = components.get(wire.source.node)
        if learner is None or not learner.learns_from_rows:
            continue
        rule = learner.__component__.at_inference
        if not isinstance(rule, Replay) or wire.source.port != rule.fitted:
            continue
        if any(w.source in rows for w in graph.wires_into(wire.source.node, rule.port)):
            yield wire.source.node
