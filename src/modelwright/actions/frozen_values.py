"""What a conversion froze, registered: models as "MD - …", fitted transformations as "TD - …"."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelwright.actions.conversions import Converted
from modelwright.data.artifact import Digest
from modelwright.graph.check import SAVED
from modelwright.graph.codec import Document
from modelwright.graph.graph import Graph, NodeId
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.assets import AssetKind, Lineage, Model

if TYPE_CHECKING:
    from modelwright.actions.home import Home

KINDS = {
    "saved-model": AssetKind.MODEL,
    "saved-transformation": AssetKind.TRANSFORMATION,
}
"""Component of a node that brings in a registered value → kind of the value."""


def register_frozen(home: Home, converted: Converted) -> Converted:
    """Register the models and transformations of a conversion, or their next versions.

    A name that a model of another draft has gets a number; the nodes of the pipeline then have it too.
    """
    graph = converted.document.graph
    metrics = _metrics(home, converted.run.id)
    for node_id, digest in converted.conversion.frozen.items():
        node = graph.nodes[node_id]
        kind = KINDS.get(node.component)
        origin = converted.conversion.origins.get(node_id)
        if kind is None or origin is None:
            continue
        wished = str(node.parameters.get("name", "")) or node_id
        name = _free_name(home, wished, kind, converted.run.draft_id)
        home.store.sync(digest)
        home.workspace.models.add(
            name,
            digest=digest,
            kind=kind,
            metrics=metrics if kind is AssetKind.MODEL else {},
            lineage=Lineage(converted.run.id, origin.node, origin.port, converted.run.draft_id),
        )
        if name != wished:
            graph = graph.with_node(
                node_id, replace(node, parameters={**node.parameters, "name": name})
            )
    return replace(converted, document=Document(graph, converted.document.layout))


def frozen_in(graph: Graph) -> dict[NodeId, Digest]:
    """The digest of each stored value that a node of a pipeline brings in."""
    return {
        node_id: Digest(digest)
        for node_id, node in graph.nodes.items()
        if node.component in SAVED and isinstance(digest := node.parameters.get("digest"), str)
    }


def _metrics(home: Home, run_id: str) -> dict[str, float | None]:
    """The figures of a run by name; of those that several nodes measured, the first."""
    found: dict[str, float | None] = {}
    for metric in home.workspace.runs.metrics.list(run_id):
        found.setdefault(metric.name, metric.value)
    return found


def _free_name(home: Home, wished: str, kind: AssetKind, draft_id: str | None) -> str:
    name, number = wished, 1
    while (latest := _latest(home, name)) is not None:
        if latest.kind is kind and latest.lineage.draft_id == draft_id:
            break
        number += 1
        name = f"{wished} ({number})"
    return name


def _latest(home: Home, name: str) -> Model | None:
    """The latest version, one that was deleted too: its name is not given to anything else."""
    try:
        return home.workspace.models.get(name, deleted=True)
    except NotFound:
        return None
