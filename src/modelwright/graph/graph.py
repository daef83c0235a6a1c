"""A pipeline as immutable data: nodes, wires and pipeline parameters.  No pixels, no run state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NewType

NodeId = NewType("NodeId", str)
"""Names a node within its graph: letters, digits, "-" and "_", as it stands in the file."""


@dataclass(frozen=True, slots=True)
class Node:
    """A configured component on the canvas.

    component: its id.  parameters: only those set, as JSON; the others have their defaults.
    title: the user's name for it, empty for the component's own.  compute: where it runs, empty for
    where the pipeline does.  resources: what it needs there, by name: "cpus", "gpus", "memory" in bytes;
    the component's own unless named.  Neither changes a result.
    """

    component: str
    version: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    comment: str = ""
    compute: str = ""
    resources: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """A port of a node; written "node.port"."""

    node: NodeId
    port: str

    def __str__(self) -> str:
        return f"{self.node}.{self.port}"

    @classmethod
    def parse(cls, text: str) -> Pin:
        """Read "node.port".  Raises ValueError when there is no dot."""
        node, dot, port = text.partition(".")
        if not dot or not node or not port:
            raise ValueError(f"{text!r} is not of the form node.port")
        return cls(NodeId(node), port)


@dataclass(frozen=True, slots=True, order=True)
class Wire:
    """Carries what an output port gives to an input port."""

    source: Pin
    target: Pin


@dataclass(frozen=True, slots=True)
class PipelineParameter:
    """A value of the pipeline that is asked for at submission.

    targets: the (node, parameter) pairs it sets.  default: used when nothing is given, as JSON.
    """

    default: Any
    targets: tuple[tuple[NodeId, str], ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Graph:
    """Nodes by id, in the order in which they were added, and the wires between them.

    compute: the name of the compute that it runs on unless another is chosen; empty for this machine.
    """

    name: str = ""
    description: str = ""
    nodes: Mapping[NodeId, Node] = field(default_factory=dict)
    wires: frozenset[Wire] = frozenset()
    parameters: Mapping[str, PipelineParameter] = field(default_factory=dict)
    compute: str = ""

    @cached_property
    def _into(self) -> Mapping[Pin, tuple[Wire, ...]]:
        found: dict[Pin, tuple[Wire, ...]] = {}
        for wire in sorted(self.wires):
            found[wire.target] = (*found.get(wire.target, ()), wire)
        return found

    def wires_into(self, node: NodeId, port: str | None = None) -> tuple[Wire, ...]:
        """Wires that end at a node, or at one of its ports, sorted."""
        if port is not None:
            return self._into.get(Pin(node, port), ())
        return tuple(sorted(w for w in self.wires if w.target.node == node))

    def wires_from(self, node: NodeId, port: str | None = None) -> tuple[Wire, ...]:
        """Wires that begin at a node, or at one of its ports, sorted."""
        return tuple(
            sorted(
                w
                for w in self.wires
                if w.source.node == node and (port is None or w.source.port == port)
            )
        )

    def upstream(self, nodes: Iterable[NodeId]) -> frozenset[NodeId]:
        """These nodes and all that feed them, directly or not."""
        return self._reach(nodes, {w.target.node: () for w in self.wires}, up=True)

    def downstream(self, nodes: Iterable[NodeId]) -> frozenset[NodeId]:
        """These nodes and all that they feed, directly or not."""
        return self._reach(nodes, {w.source.node: () for w in self.wires}, up=False)

    def _reach(
        self, nodes: Iterable[NodeId], ends: dict[NodeId, tuple[NodeId, ...]], *, up: bool
    ) -> frozenset[NodeId]:
        for wire in self.wires:
            here, there = (wire.target, wire.source) if up else (wire.source, wire.target)
            ends[here.node] = (*ends[here.node], there.node)
        reached: set[NodeId] = set()
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                waiting.extend(ends.get(node, ()))
        return frozenset(reached)

    def order(self) -> tuple[NodeId, ...]:
        """Nodes so that each comes after all that feed it; ties in the order of the file.

        Nodes on a cycle, and those they feed, are left out.
        """
        return self._order

    @cached_property
    def _order(self) -> tuple[NodeId, ...]:
        place = {node: number for number, node in enumerate(self.nodes)}
        feeds: dict[NodeId, set[NodeId]] = {n: set() for n in self.nodes}
        fed: dict[NodeId, set[NodeId]] = {n: set() for n in self.nodes}
        for wire in self.wires:
            source, target = wire.source.node, wire.target.node
            if source in feeds and target in feeds:
                feeds[target].add(source)
                fed[source].add(target)
        waits = {node: len(before) for node, before in feeds.items()}
        done: list[NodeId] = []
        ready = [node for node, count in waits.items() if count == 0]
        while ready:
            done.extend(ready)
            freed: list[NodeId] = []
            for node in ready:
                for after in fed[node]:
                    waits[after] -= 1
                    if waits[after] == 0:
                        freed.append(after)
            ready = sorted(freed, key=place.__getitem__)
        return tuple(done)

    def with_node(self, node_id: NodeId, node: Node) -> Graph:
        """With a node added, or replaced in its place."""
        return replace(self, nodes={**self.nodes, node_id: node})

    def with_wires(self, *wires: Wire) -> Graph:
        """With wires added."""
        return replace(self, wires=self.wires | set(wires))

    def without_wires(self, *wires: Wire) -> Graph:
        """With wires removed."""
        return replace(self, wires=self.wires - set(wires))

    def only(self, nodes: Iterable[NodeId]) -> Graph:
        """These nodes and the wires among them."""
        kept = set(nodes)
        return replace(
            self,
            nodes={n: node for n, node in self.nodes.items() if n in kept},
            wires=frozenset(
                w for w in self.wires if w.source.node in kept and w.target.node in kept
            ),
        )
