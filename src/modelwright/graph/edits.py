"""Changes to a graph: each takes a graph and gives a new one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.graph.graph import Graph, Node, NodeId, Pin, PipelineParameter, Wire

NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_VERSIONED = re.compile(r"(.+)@([1-9][0-9]{0,8})")


class UnknownNode(ModelwrightError):
    """An edit or a command names a node that the pipeline does not have."""

    code = "unknown-node"

    def __init__(self, node: str, known: Iterable[str]) -> None:
        names = tuple(known)
        super().__init__(
            f'There is no node "{node}" in the pipeline.',
            remedy=f"{suggestion(node, names)}Use the id that stands in the file.",
            node=node,
            near=list(names[:50]),
        )


def find_node(graph: Graph, node_id: str) -> Node:
    """The node of that id.  Raises UnknownNode with the nearest ids."""
    node = graph.nodes.get(NodeId(node_id))
    if node is None:
        raise UnknownNode(node_id, graph.nodes)
    return node


def fresh_id(graph: Graph, wish: str) -> NodeId:
    """An id not yet used, made from a wish such as a component id: split-data-2 after split-data."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", wish).strip("-_") or "node"
    taken = set(graph.nodes)
    candidate, number = stem, 1
    while candidate in taken:
        number += 1
        candidate = f"{stem}-{number}"
    return NodeId(candidate)


def add_node(graph: Graph, node: Node, *, node_id: str | None = None) -> tuple[Graph, NodeId]:
    """The graph with a node more, and its id: the given one, or a fresh one after the component.

    A further Web Service Input or Output gets a name that no other has, unless it brings one.
    """
    chosen = fresh_id(graph, node_id or node.component)
    return graph.with_node(chosen, _keyed(graph, node)), chosen


_SERVICE_NAMES = {"web-service-input": "WebServiceInput", "web-service-output": "WebServiceOutput"}


def _keyed(graph: Graph, node: Node) -> Node:
    stem = _SERVICE_NAMES.get(node.component)
    if stem is None or "name" in node.parameters:
        return node
    others = [n for n in graph.nodes.values() if n.component == node.component]
    taken = {n.parameters.get("name", f"{stem}0") for n in others}
    name = next(name for i in range(len(others) + 1) if (name := f"{stem}{i}") not in taken)
    return (
        node if name == f"{stem}0" else replace(node, parameters={**node.parameters, "name": name})
    )


def remove_nodes(graph: Graph, nodes: Iterable[NodeId]) -> Graph:
    """Without these nodes, their wires, and the pipeline parameters' hold on them."""
    gone = set(nodes)
    left = graph.only(n for n in graph.nodes if n not in gone)
    parameters = {
        name: replace(p, targets=tuple(t for t in p.targets if t[0] not in gone))
        for name, p in graph.parameters.items()
    }
    return replace(left, parameters=parameters)


def connect(graph: Graph, source: Pin, target: Pin) -> Graph:
    """With a wire from an output to an input.  Whether it may be drawn is told by `check`.

    A wire that fills the same input goes, unless one of the two brings a request's rows.
    """
    wire = Wire(source, target)
    for other in graph.wires_into(target.node, target.port):
        if not (_is_request(graph, wire) ^ _is_request(graph, other)):
            graph = graph.without_wires(other)
    return graph.with_wires(wire)


def disconnect(graph: Graph, source: Pin, target: Pin) -> Graph:
    """Without that wire."""
    return graph.without_wires(Wire(source, target))


def remove_and_heal(graph: Graph, node_id: NodeId, *, through: tuple[str, str]) -> Graph:
    """Without a node, its neighbours joined: what fed port `through[0]` feeds what `through[1]` fed."""
    sources = [w.source for w in graph.wires_into(node_id, through[0])]
    targets = [w.target for w in graph.wires_from(node_id, through[1])]
    left = remove_nodes(graph, [node_id])
    return left.with_wires(*(Wire(s, t) for s in sources for t in targets))


def set_parameter(graph: Graph, node_id: NodeId, name: str, value: Any) -> Graph:
    """With a parameter of a node set, as JSON.  Raises UnknownNode."""
    node = find_node(graph, node_id)
    return graph.with_node(node_id, replace(node, parameters={**node.parameters, name: value}))


def reset_parameter(graph: Graph, node_id: NodeId, name: str) -> Graph:
    """With a parameter of a node back at its default.  Raises UnknownNode."""
    node = find_node(graph, node_id)
    left = {k: v for k, v in node.parameters.items() if k != name}
    return graph.with_node(node_id, replace(node, parameters=left))


def describe_node(
    graph: Graph, node_id: NodeId, *, title: str | None = None, comment: str | None = None
) -> Graph:
    """With another title or comment on a node; None leaves it as it is.  Raises UnknownNode."""
    node = find_node(graph, node_id)
    return graph.with_node(
        node_id,
        replace(
            node,
            title=node.title if title is None else title,
            comment=node.comment if comment is None else comment,
        ),
    )


def promote_parameter(
    graph: Graph, name: str, *, node_id: NodeId, parameter: str, default: Any, description: str = ""
) -> Graph:
    """With a node's parameter asked for at submission under a name.  Raises UnknownNode.

    A name that exists already gets the node's parameter as a further target.
    """
    find_node(graph, node_id)
    known = graph.parameters.get(name) or PipelineParameter(default, (), description)
    target = (node_id, parameter)
    targets = known.targets if target in known.targets else (*known.targets, target)
    return replace(graph, parameters={**graph.parameters, name: replace(known, targets=targets)})


class UnknownPipelineParameter(ModelwrightError):
    """A value is given for a pipeline parameter that the pipeline does not have."""

    code = "unknown-pipeline-parameter"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = tuple(known)
        super().__init__(
            f'The pipeline has no parameter "{name}".',
            remedy=f"{suggestion(name, names)}Name a parameter of the pipeline, or NODE.PARAMETER.",
            name=name,
            near=list(names),
        )


def assign(graph: Graph, values: Mapping[str, Any]) -> Graph:
    """With pipeline parameters applied to the nodes they set, and NODE.PARAMETER values set.

    values: by pipeline parameter or by "node.parameter"; parameters not named take their default.
    A data set may be given as "NAME@VERSION"; without a version the latest of another name is meant.
    Raises UnknownPipelineParameter and UnknownNode.
    """
    given = dict(values)
    wanted: dict[tuple[NodeId, str], Any] = {}
    for name, parameter in graph.parameters.items():
        wanted.update(dict.fromkeys(parameter.targets, given.pop(name, parameter.default)))
    for name, value in given.items():
        node_text, dot, target = name.partition(".")
        if not dot:
            raise UnknownPipelineParameter(name, graph.parameters)
        wanted[NodeId(node_text), target] = value
    for (node_id, target), value in wanted.items():
        node = find_node(graph, node_id)
        if node.component == "dataset" and target == "name" and (node_id, "version") not in wanted:
            graph = _with_dataset(graph, node_id, value)
        else:
            graph = set_parameter(graph, node_id, target, value)
    return graph


def _with_dataset(graph: Graph, node_id: NodeId, value: Any) -> Graph:
    """With a data set chosen by name; a version that was chosen belongs to the former one."""
    former = graph.nodes[node_id].parameters.get("name")
    found = _VERSIONED.fullmatch(value) if isinstance(value, str) else None
    if found:
        graph = set_parameter(graph, node_id, "version", int(found[2]))
        return set_parameter(graph, node_id, "name", found[1])
    if value != former:
        graph = reset_parameter(graph, node_id, "version")
    return set_parameter(graph, node_id, "name", value)


def paste(graph: Graph, pasted: Graph) -> tuple[Graph, Mapping[NodeId, NodeId]]:
    """With copies of another graph's nodes and wires, and the new id of each."""
    ids: dict[NodeId, NodeId] = {}
    for node_id, node in pasted.nodes.items():
        graph, ids[node_id] = add_node(graph, node, node_id=node_id)
    wires = [
        Wire(Pin(ids[w.source.node], w.source.port), Pin(ids[w.target.node], w.target.port))
        for w in pasted.wires
    ]
    return graph.with_wires(*wires), ids


def _is_request(graph: Graph, wire: Wire) -> bool:
    node = graph.nodes.get(wire.source.node)
    return node is not None and node.component == "web-service-input"
