"""A small world for a test of the engine: graphs in a line each, a store, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.graph.assets import Assets, FixedAssets
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.run.events import Event, StepEvent
from modelwright.run.history import MemoryHistory
from modelwright.run.plan import Plan, plan
from modelwright.run.result import RunResult
from modelwright.run.runner import Cancel, Runner
from modelwright.run.workers import in_process
from modelwright.targets.contract import Target
from tests.run.parts import library


def graph(nodes: Mapping[str, tuple[str, Mapping[str, Any]]], *wires: str) -> Graph:
    """Nodes as id → (component, parameters), wires as "a.table > b.dataset"."""
    drawn = [wire.split(" > ") for wire in wires]
    return Graph(
        name="test",
        nodes={NodeId(n): Node(c, parameters=dict(p)) for n, (c, p) in nodes.items()},
        wires=frozenset(Wire(Pin.parse(source), Pin.parse(target)) for source, target in drawn),
    )


class World:
    """A store in a folder, with a history; runs are in this process unless a target is given."""

    def __init__(self, folder: Path, target: Target | None = None) -> None:
        self.folder = folder
        self.store = Store.open(folder / "store")
        self.history = MemoryHistory()
        self.library = library()
        self.target = target or in_process()
        self.assets: Assets = FixedAssets()
        self.events: list[Event] = []
        self.secrets: Mapping[str, str] = {}

    def plan(self, graph: Graph, **settings: Any) -> Plan:
        return plan(
            graph,
            library=self.library,
            store=self.store,
            assets=self.assets,
            history=self.history,
            **settings,
        )

    def run(
        self,
        graph: Graph,
        *,
        on_event: Callable[[Event], None] = lambda event: None,
        cancel: Cancel | None = None,
        **settings: Any,
    ) -> RunResult:
        self.events = []

        def note(event: Event) -> None:
            self.events.append(event)
            on_event(event)

        runner = Runner(self.target, logs=self.folder / "logs", secrets=self.secrets.get)
        return runner.run(self.plan(graph, **settings), on_event=note, cancel=cancel)

    def values(self, result: RunResult, pin: str) -> list[Any]:
        """The numbers on a port."""
        output = result.output(Pin.parse(pin))
        assert output is not None
        table = self.store.get(output.digest)
        assert isinstance(table, Table)
        return table.frame["x"].to_list()

    def kinds(self, node: str) -> list[str]:
        """What happened to a node, in order."""
        return [e.kind for e in self.events if isinstance(e, StepEvent) and e.node == node]

    def counted(self, name: str) -> int:
        """How often a component has run that counts its runs in this world's folder."""
        path = self.folder / name
        return path.stat().st_size if path.exists() else 0


def statuses(result: RunResult) -> dict[str, str]:
    """How each step ended."""
    return {node: step.status for node, step in result.steps.items()}


def codes(result_or_plan: RunResult | Plan, node: str) -> list[str]:
    """The codes of a step's reasons."""
    if isinstance(result_or_plan, Plan):
        return [r.code for r in result_or_plan.step(NodeId(node)).reasons]
    return [r.code for r in result_or_plan.steps[NodeId(node)].reasons]
