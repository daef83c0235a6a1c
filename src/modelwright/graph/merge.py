"""Three-way merge of graphs: what two sides made of one graph, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire

Side = Literal["mine", "theirs"]

_GONE = object()


@dataclass(frozen=True, slots=True)
class Clash:
    """Something that both sides changed, each otherwise.

    field: "node" when one side took the node away, "component", "title", "comment", the name of a
    parameter, or "wires" for what feeds the input `port`.  mine, theirs: as JSON; None where it is gone.
    """

    node: NodeId
    field: str
    mine: Any
    theirs: Any
    port: str | None = None

    @property
    def key(self) -> str:
        """Names it among the clashes of a merge."""
        return f"{self.node}.{self.port}" if self.port else f"{self.node}:{self.field}"


@dataclass(frozen=True)
class Merged:
    """The graph that came out.

    kept: by node, what my side changed and the other did not.  taken: the same the other way round.
    """

    graph: Graph
    clashes: tuple[Clash, ...]
    kept: Mapping[NodeId, tuple[str, ...]]
    taken: Mapping[NodeId, tuple[str, ...]]


def merge(
    base: Graph,
    mine: Graph,
    theirs: Graph,
    *,
    choices: Mapping[str, Side] | None = None,
) -> Merged:
    """What came of `base` on two sides as one graph.

    choices: whose change counts, by `Clash.key`; mine unless said.  Name, description and pipeline
    parameters are mine.
    """
    return _Merge(base, mine, theirs, choices or {}).all()


class _Merge:
    def __init__(
        self, base: Graph, mine: Graph, theirs: Graph, choices: Mapping[str, Side]
    ) -> None:
        self.base, self.mine, self.theirs = base, mine, theirs
        self.choices = choices
        self.clashes: list[Clash] = []
        self.kept: dict[NodeId, list[str]] = {}
        self.taken: dict[NodeId, list[str]] = {}

    def all(self) -> Merged:
        nodes: dict[NodeId, Node] = {}
        for node_id in dict.fromkeys([*self.mine.nodes, *self.theirs.nodes, *self.base.nodes]):
            node = self._node(node_id)
            if node is not None:
                nodes[node_id] = node
        wires = frozenset(
            w for w in self._wires() if {w.source.node, w.target.node} <= nodes.keys()
        )
        return Merged(
            replace(self.mine, nodes=nodes, wires=wires),
            tuple(self.clashes),
            {n: tuple(fields) for n, fields in self.kept.items()},
            {n: tuple(fields) for n, fields in self.taken.items()},
        )

    def _node(self, node_id: NodeId) -> Node | None:
        base, mine, theirs = (g.nodes.get(node_id) for g in (self.base, self.mine, self.theirs))
        if mine is None or theirs is None:
            return self._one_sided(node_id, base, mine, theirs)
        # Added by both sides under one id: all that they say of it was added.
        base = base or Node(mine.component, mine.version)
        sides = [_fields(n) for n in (base, mine, theirs)]
        made = {
            name: self._pick(node_id, name, *(s.get(name, _GONE) for s in sides))
            for name in dict.fromkeys([*sides[1], *sides[2], *sides[0]])
        }
        plain = {n: made.pop(f":{n}") for n in ("component", "version", "title", "comment")}
        return Node(parameters={n: v for n, v in made.items() if v is not _GONE}, **plain)

    def _one_sided(
        self, node_id: NodeId, base: Node | None, mine: Node | None, theirs: Node | None
    ) -> Node | None:
        """A node that one of the sides does not have."""
        found: Node | None = self._pick(node_id, ":node", base, mine, theirs)
        return found

    def _pick(self, node_id: NodeId, field: str, base: Any, mine: Any, theirs: Any) -> Any:
        shown = field.removeprefix(":")
        if mine == theirs:
            return mine
        if mine == base:
            self.taken.setdefault(node_id, []).append(shown)
            return theirs
        if theirs == base:
            self.kept.setdefault(node_id, []).append(shown)
            return mine
        clash = Clash(node_id, shown, _shown(mine), _shown(theirs))
        self.clashes.append(clash)
        return theirs if self.choices.get(clash.key) == "theirs" else mine

    def _wires(self) -> frozenset[Wire]:
        base, mine, theirs = (g.wires for g in (self.base, self.mine, self.theirs))
        pins = sorted({w.target for w in base | mine | theirs})
        found: set[Wire] = set()
        for pin in pins:
            old, my, other = (_into(wires, pin) for wires in (base, mine, theirs))
            if my == other or other == old:
                chosen = my
                if my != old:
                    self.kept.setdefault(pin.node, []).append(f"wires into {pin.port}")
            elif my == old:
                chosen = other
                self.taken.setdefault(pin.node, []).append(f"wires into {pin.port}")
            else:
                names = [sorted(str(w.source) for w in side) for side in (my, other)]
                clash = Clash(pin.node, "wires", names[0], names[1], pin.port)
                self.clashes.append(clash)
                chosen = other if self.choices.get(clash.key) == "theirs" else my
            found |= chosen
        return frozenset(found)


def _into(wires: frozenset[Wire], pin: Pin) -> frozenset[Wire]:
    return frozenset(w for w in wires if w.target == pin)


def _fields(node: Node) -> dict[str, Any]:
    # A colon keeps them apart from parameters of the same name.
    return {
        ":component": node.component,
        ":version": node.version,
        ":title": node.title,
        ":comment": node.comment,
        **node.parameters,
    }


def _shown(value: Any) -> Any:
    if value is _GONE or value is None:
        return None
    return value.component if isinstance(value, Node) else value
