"""Two runs side by side: what differs in their pipelines, their settings and their figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from modelwright.actions.run_details import title_in
from modelwright.actions.runs import RunReport, show_run
from modelwright.components.library import Library
from modelwright.data.errors import ModelwrightError
from modelwright.graph.codec import read
from modelwright.graph.edits import assign
from modelwright.graph.graph import Graph, Node, NodeId
from modelwright.workspace.records.runs import Metric

if TYPE_CHECKING:
    from modelwright.actions.home import Home

NodeChange = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """A parameter that has one value in the one run and another in the other, as JSON."""

    parameter: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class NodeDifference:
    """How a node differs.

    change: "added" when only the right run has it, "removed" when only the left has it.
    component: id in the right run, or in the left when it is gone.  wires: whether it is fed otherwise.
    """

    node: str
    title: str
    component: str
    change: NodeChange
    settings: tuple[SettingDifference, ...] = ()
    wires: bool = False


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A figure in both runs; None where a run does not have it."""

    node: str
    port: str
    name: str
    left: float | None
    right: float | None


@dataclass(frozen=True)
class RunComparison:
    """The right run as it differs from the left one; metrics are all those of either."""

    left: RunReport
    right: RunReport
    nodes: tuple[NodeDifference, ...]
    metrics: tuple[MetricDifference, ...]


def compare_runs(home: Home, left: str, right: str) -> RunComparison:
    """Compare two runs by their ids.  Raises NotFound."""
    one, other = show_run(home, left), show_run(home, right)
    nodes = node_differences(_graph(one), _graph(other), home.library)
    return RunComparison(one, other, nodes, _metrics(one.metrics, other.metrics))


def node_differences(left: Graph, right: Graph, library: Library) -> tuple[NodeDifference, ...]:
    """The nodes of two graphs that differ in what they do, in the order of the graphs."""
    found = []
    for node_id in dict.fromkeys([*left.nodes, *right.nodes]):
        old, new = left.nodes.get(node_id), right.nodes.get(node_id)
        if old is None or new is None:
            there = left if new is None else right
            change: NodeChange = "removed" if new is None else "added"
            title = title_in(there, node_id, library)
            component = there.nodes[node_id].component
            found.append(NodeDifference(node_id, title, component, change))
            continue
        settings = _settings(old, new, library)
        wires = left.wires_into(node_id) != right.wires_into(node_id)
        if settings or wires or old.component != new.component:
            title = title_in(right, NodeId(node_id), library)
            found.append(NodeDifference(node_id, title, new.component, "changed", settings, wires))
    return tuple(found)


def _graph(report: RunReport) -> Graph:
    return assign(read(report.run.graph).graph, report.run.parameters)


def _settings(old: Node, new: Node, library: Library) -> tuple[SettingDifference, ...]:
    if old.component != new.component:
        return ()
    left, right = _effective(old, library), _effective(new, library)
    return tuple(
        SettingDifference(name, left.get(name), right.get(name))
        for name in dict.fromkeys([*left, *right])
        if left.get(name) != right.get(name)
    )


def _effective(node: Node, library: Library) -> Mapping[str, Any]:
    """The parameters that matter, defaults filled in; as they stand where they cannot be read."""
    try:
        return library.make(node.component, node.version, node.parameters).settings()
    except ModelwrightError:
        return node.parameters


def _metrics(left: tuple[Metric, ...], right: tuple[Metric, ...]) -> tuple[MetricDifference, ...]:
    sides = [
        {(m.node, str(m.labels.get("port", "")), m.name): m.value for m in side}
        for side in (left, right)
    ]
    return tuple(
        MetricDifference(*key, sides[0].get(key), sides[1].get(key))
        for key in dict.fromkeys([*sides[0], *sides[1]])
    )
