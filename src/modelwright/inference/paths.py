"""Which values of a training graph depend on a request, and which columns a request lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from modelwright.components.contract import Bypass, Component, Keep, Port, Replay
from modelwright.data.fitted import Model, Transform
from modelwright.data.schema import Schema
from modelwright.data.table import Table
from modelwright.graph.check import Check, data_wires_into
from modelwright.graph.graph import Graph, NodeId, Pin


@dataclass(frozen=True)
class Paths:
    """The ways of the rows through a training graph that was checked and has run.

    schema: the columns at an output, taken from the run.  transform: the fitted value at an output.
    """

    graph: Graph
    check: Check
    schema: Callable[[Pin], Schema]
    transform: Callable[[Pin], Transform]

    def component(self, node: NodeId) -> Component:
        """The configured component of a node."""
        return self.check.components[node]

    def title(self, node: NodeId) -> str:
        """The name a user knows the node by."""
        return self.graph.nodes[node].title or self.component(node).__component__.title

    def source(self, node: NodeId, port: str) -> Pin | None:
        """The output that feeds an input in a run, or None."""
        wires = data_wires_into(self.graph, node, port)
        return wires[0].source if wires else None

    def row_inputs(self, pin: Pin) -> Iterator[tuple[Port, Pin]]:
        """The inputs whose rows make up the rows at an output when a request is answered."""
        spec = self.component(pin.node).__component__
        policy = spec.at_inference
        only = policy.port if isinstance(policy, Bypass | Replay) else None
        for port in spec.inputs:
            if issubclass(port.type, Table) and only in (None, port.name):
                source = self.source(pin.node, port.name)
                if source is not None:
                    yield port, source

    def scorers(self) -> tuple[Pin, ...]:
        """Table outputs of the nodes that apply a trained model, last of each chain of such nodes."""
        found = [
            Pin(node, out.name)
            for node in self.graph.order()
            if node in self.check.components
            and any(issubclass(p.type, Model) for p in self.component(node).__component__.inputs)
            and isinstance(self.component(node).__component__.at_inference, Keep)
            for out in self.component(node).__component__.outputs
            if issubclass(out.type, Table)
        ]
        return tuple(p for p in found if not any(p in self.upstream(q) for q in found if q != p))

    def upstream(self, pin: Pin) -> set[Pin]:
        """All outputs whose rows the rows at an output are made of, itself included."""
        seen: set[Pin] = set()
        waiting = [pin]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting.extend(source for _, source in self.row_inputs(here))
        return seen

    def main_roots(self, reply: Pin, without: Callable[[Pin], bool]) -> set[Pin]:
        """Where the rows at an output begin: along the first input of each node on the way.

        Along all inputs where rows are matched by their places.  without: whether nothing of an output's rows would be in a request; another input is taken.
        """
        inputs = list(self.row_inputs(reply))
        if not inputs:
            return {reply}
        if self.component(reply.node).beside_request((inputs[0][0].name,)) is None:
            every = {root for _, source in inputs for root in self.main_roots(source, without)}
            return {root for root in every if not without(root)} or every
        for _, source in inputs:
            roots = self.main_roots(source, without)
            if not all(without(root) for root in roots):
                return roots
        return self.main_roots(inputs[0][1], without)

    def name_before(self, pin: Pin, column: str, source: Pin) -> str | None:
        """The name at an input's source of a column at an output, None where it does not come from it."""
        renamed = self._renamed(pin, source)
        before = {new: old for old, new in renamed.items()}.get(column, column)
        return before if before in self.schema(source) else None

    def absent_after(self, pin: Pin, absent: frozenset[str], source: Pin) -> frozenset[str]:
        """The columns that an output lacks when one of its sources lacks some."""
        renamed = self._renamed(pin, source)
        return frozenset(renamed.get(n, n) for n in absent) & frozenset(self.schema(pin).names)

    def _renamed(self, pin: Pin, source: Pin) -> dict[str, str]:
        component = self.component(pin.node)
        policy = component.__component__.at_inference
        if isinstance(policy, Replay):
            return dict(self.transform(Pin(pin.node, policy.fitted)).formula.renamed())
        formula = component.formula(self.schema(source))
        return dict(formula.renamed()) if formula is not None else {}

    def trace_back(self, pin: Pin, column: str) -> dict[Pin, str]:
        """The names a column has at each output on its way to an output, that one included."""
        found: dict[Pin, str] = {}
        waiting = [(pin, column)]
        while waiting:
            here, name = waiting.pop()
            if here in found or name not in self.schema(here):
                continue
            found[here] = name
            for _, source in self.row_inputs(here):
                before = self.name_before(here, name, source)
                if before is not None:
                    waiting.append((source, before))
        return found
