"""Pipelines as they travel to a server and back."""

from __future__ import annotations

from typing import Any

from modelwright.client.pipeline import Pipeline
from modelwright.graph.codec import Document, Layout
from modelwright.graph.graph import Graph, Node, NodeId, Pin, PipelineParameter, Wire


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """A graph as the API takes it."""
    return {
        "name": graph.name,
        "description": graph.description,
        "nodes": [
            {
                "id": node_id,
                "component": node.component,
                "version": node.version,
                "parameters": dict(node.parameters),
                "title": node.title,
                "comment": node.comment,
                "compute": node.compute,
                "resources": dict(node.resources),
            }
            for node_id, node in graph.nodes.items()
        ],
        "wires": [{"source": str(w.source), "target": str(w.target)} for w in sorted(graph.wires)],
        "parameters": [
            {
                "name": name,
                "default": parameter.default,
                "sets": [f"{node}.{target}" for node, target in parameter.targets],
                "description": parameter.description,
            }
            for name, parameter in graph.parameters.items()
        ],
        "compute": graph.compute,
    }


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """A layout as the API takes it."""
    return {
        "positions": {str(node): list(place) for node, place in layout.positions.items()},
        "notes": [dict(note) for note in layout.notes],
        "groups": [dict(group) for group in layout.groups],
    }


def pipeline_from_json(graph: dict[str, Any], layout: dict[str, Any] | None = None) -> Pipeline:
    """The pipeline that an answer holds."""
    parameters = {}
    for p in graph["parameters"]:
        pins = [Pin.parse(text) for text in p["sets"]]
        targets = tuple((pin.node, pin.port) for pin in pins)
        parameters[p["name"]] = PipelineParameter(p["default"], targets, p["description"])
    placed = layout or {"positions": {}, "notes": [], "groups": []}
    positions = {NodeId(n): (float(x), float(y)) for n, (x, y) in placed["positions"].items()}
    document = Document(
        Graph(
            graph["name"],
            graph["description"],
            {
                NodeId(n["id"]): Node(
                    n["component"],
                    n["version"],
                    n["parameters"],
                    n["title"],
                    n["comment"],
                    n["compute"],
                    n["resources"],
                )
                for n in graph["nodes"]
            },
            frozenset(Wire(Pin.parse(w["source"]), Pin.parse(w["target"])) for w in graph["wires"]),
            parameters,
            graph["compute"],
        ),
        Layout(positions, tuple(placed["notes"]), tuple(placed["groups"])),
    )
    return Pipeline.of_document(document)
