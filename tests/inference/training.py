"""Runs training graphs the plainest way, a node after the other, for tests of what comes after."""

from __future__ import annotations

import inspect
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from modelwright import temporary
from modelwright.components.context import Context
from modelwright.components.contract import outputs_by_port
from modelwright.components.library import library
from modelwright.components.outline import outline_of
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.graph.assets import DatasetAsset, FixedAssets
from modelwright.graph.check import check, data_wires_into
from modelwright.graph.codec import read
from modelwright.graph.graph import Graph, NodeId, Pin
from modelwright.inference.convert import Kind, convert
from modelwright.inference.parity import Parity, compare
from modelwright.inference.prepare import prepare
from modelwright.inference.report import Conversion
from modelwright.inference.serving import Serving


@dataclass
class Trained:
    """A training graph that has run.  values: what each output gave."""

    graph: Graph
    store: Store
    datasets: dict[str, DatasetAsset]
    values: dict[Pin, Artifact] = field(default_factory=dict)

    @property
    def outputs(self) -> dict[Pin, Digest]:
        """Digests of the results, as a run would have recorded them."""
        return {pin: self.store.put(value) for pin, value in self.values.items()}

    def assets(self, graph: Graph) -> FixedAssets:
        """The data sets, and outlines of the stored values that a graph names."""
        named = [
            Digest(str(n.parameters["digest"]))
            for n in graph.nodes.values()
            if "digest" in n.parameters
        ]
        return FixedAssets(self.datasets, {d: outline_of(self.store.get(d)) for d in named})

    def convert(self, kind: Kind = "real-time", *, requests: tuple[NodeId, ...] = ()) -> Conversion:
        """The inference pipeline.  requests: the nodes whose rows requests bring instead."""
        return convert(
            self.graph,
            library=library(),
            assets=self.assets(self.graph),
            outputs=self.outputs,
            load=self.store.get,
            save=self.store.put,
            kind=kind,
            requests=requests,
        )

    def serving(self, graph: Graph) -> Serving:
        """An inference graph made ready to answer."""
        return prepare(
            graph,
            name="test",
            library=library(),
            assets=self.assets(graph),
            load=self.store.get,
            save=self.store.put,
        )

    def parity(self, conversion: Conversion) -> Parity:
        """How the converted pipeline scores the training rows."""
        serving = self.serving(conversion.graph)
        given = {r.name: self.table(conversion.requests[r.node]) for r in serving.inputs}
        scored = {o.name: self.table(conversion.replies[o.node]) for o in serving.outputs}
        return compare(serving, given=given, scored=scored)

    def table(self, pin: Pin) -> Table:
        """What an output gave, which is a table."""
        value = self.values[pin]
        assert isinstance(value, Table)
        return value


def trained(text: str, *, context: Context | None = None, **tables: Table) -> Trained:
    """The graph of a file's text after it ran on data sets of these names."""
    graph = read(text).graph
    store = Store.open(Path(tempfile.mkdtemp(prefix="store-", dir=temporary.place())))
    datasets = {
        name: DatasetAsset(name, 1, store.put(table), table.schema, table.rows)
        for name, table in tables.items()
    }
    ran = Trained(graph, store, datasets)
    checked = check(graph, library=library(), assets=ran.assets(graph))
    assert not checked.errors, [p.message for p in checked.errors]
    for node in graph.order():
        component = checked.components[node]
        spec = component.__component__
        if spec.id == "dataset":
            ran.values[Pin(node, "dataset")] = tables[str(graph.nodes[node].parameters["name"])]
            continue
        if spec.id == "web-service-input":
            continue
        given: dict[str, object] = {}
        for port in spec.inputs:
            wires = data_wires_into(graph, node, port.name)
            given[port.name] = ran.values[wires[0].source] if wires else None
        if "context" in inspect.signature(component.run).parameters:
            given["context"] = context or Context()
        for name, value in outputs_by_port(component, component.run(**given)).items():
            if value is not None:
                ran.values[Pin(node, name)] = value
    return ran
