"""What a conversion did to each node, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from modelwright.data.artifact import Digest
from modelwright.graph.graph import Graph, NodeId, Pin

Action = Literal["kept", "changed", "replaced", "folded", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a node, or why one was added.

    by: the nodes of the new graph that stand for it.
    """

    node: NodeId
    title: str
    action: Action
    reason: str
    by: tuple[NodeId, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The change as JSON."""
        return {
            "node": self.node,
            "title": self.title,
            "action": self.action,
            "reason": self.reason,
            "by": list(self.by),
        }


@dataclass(frozen=True)
class Conversion:
    """An inference pipeline and how it came out of its training pipeline.

    frozen: digest of each stored value by the node of the new graph that brings it in.
    absent: label columns that requests need not have.  replies: the training graph's pins whose
    values the replies carry, by the node of the new graph that sends them.
    requests: the training graph's pins whose rows requests replace, by the new graph's node.
    origins: the training graph's pins that gave the stored values, by the new graph's node.
    """

    graph: Graph
    changes: tuple[Change, ...]
    frozen: Mapping[NodeId, Digest] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    requests: Mapping[NodeId, Pin] = field(default_factory=dict)
    replies: Mapping[NodeId, Pin] = field(default_factory=dict)
    origins: Mapping[NodeId, Pin] = field(default_factory=dict)

    def report(self) -> list[dict[str, Any]]:
        """Every change as JSON, in the order of the training graph, added nodes last."""
        return [c.to_json() for c in self.changes]
