"""Make an inference pipeline, converted or drawn by hand, ready to be served."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace

from modelwright.components.columns import ColumnSelection
from modelwright.components.context import Context
from modelwright.components.contract import Component, outputs_by_port
from modelwright.components.library import Library
from modelwright.components.outline import TableOutline
from modelwright.components.request_rules import RequestRule
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.file_bundle import FileBundle
from modelwright.data.fitted import Model, Transform
from modelwright.data.table import Table
from modelwright.graph.assets import Assets
from modelwright.graph.check import (
    DATASET,
    REPLY_OUTPUT,
    REQUEST_INPUT,
    SAVED,
    Check,
    check,
    data_wires_into,
)
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.graph.problems import PipelineProblems
from modelwright.inference.chains import unread
from modelwright.inference.errors import UnservablePipeline
from modelwright.inference.reply import json_rows
from modelwright.inference.request_columns import request_columns
from modelwright.inference.serving import (
    ReplyOutput,
    RequestInput,
    Serving,
    Use,
    digests_in,
)

SAMPLE_ROWS = 10
"""Rows that documentation shows and that an endpoint answers once before it counts as ready."""


class NotAnInferencePipeline(ModelwrightError):
    """A pipeline to be served lacks the place where requests enter or replies leave."""

    code = "not-an-inference-pipeline"

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"The pipeline has no {missing}, so it cannot answer requests.",
            remedy="Create an inference pipeline from the trained one with "
            "modelwright pipeline convert FILE --run ID, or add the component by hand.",
            missing=missing,
        )


class UnknownReplyColumns(ModelwrightError):
    """Some columns are chosen for a reply, and it is not known which ones there will be."""

    code = "unknown-reply-columns"

    def __init__(self, output: str) -> None:
        super().__init__(
            f'The columns that reach the Web Service Output "{output}" are not known before it is run.',
            remedy="Let the reply have all columns, or put Select Columns in Dataset before it.",
            output=output,
        )


def prepare(
    graph: Graph,
    *,
    name: str,
    library: Library,
    assets: Assets,
    load: Callable[[Digest], Artifact],
    save: Callable[[Artifact], Digest],
) -> Serving:
    """The pipeline with everything that a request does not change computed and frozen.

    Nodes from which no way leads to a Web Service Output fall away.  load and save: from and to the
    store.  Raises PipelineProblems and NotAnInferencePipeline, and what a constant step raises.
    """
    checked = check(graph, library=library, assets=assets)
    if checked.errors:
        raise PipelineProblems(checked.errors)
    requests = [n for n, node in graph.nodes.items() if node.component == REQUEST_INPUT]
    replies = [n for n, node in graph.nodes.items() if node.component == REPLY_OUTPUT]
    if not requests:
        raise NotAnInferencePipeline("Web Service Input")
    if not replies:
        raise NotAnInferencePipeline("Web Service Output")
    narrowed = _without_ignored(graph, checked, _Constants(graph, checked, assets, load, save))
    if narrowed is not graph:
        # What works on a column that requests need not have is found as for any other absent column.
        graph = narrowed
        checked = check(graph, library=library, assets=assets)
        if checked.errors:
            raise PipelineProblems(checked.errors)
    folded = _Constants(graph, checked, assets, load, save).fold(requests, replies)
    inputs = tuple(_request(graph, checked, node, folded) for node in requests)
    outputs = tuple(_reply(graph, checked, node) for node in replies)
    used = folded.graph.upstream(replies)
    served = folded.graph.only(n for n in folded.graph.nodes if n in used)
    artifacts = {digest: load(digest) for digest in digests_in(served)}
    serving = Serving(name, served, inputs, outputs, artifacts, graph.description)
    ruled = {node: {rule.name for rule in _rules(checked, node)} for node in requests}
    return _without_needless_columns(serving, library, ruled)


def _without_needless_columns(
    serving: Serving, library: Library, ruled: Mapping[NodeId, set[str]]
) -> Serving:
    """Requests need not have columns that nothing reads, unless a rule speaks of them.

    ruled: by input, the columns that rules speak of.
    """
    try:
        needless = unread(serving, library)
    except UnservablePipeline:
        # Said where it is packaged.
        return serving
    inputs = [
        replace(
            i,
            columns=tuple(
                replace(c, use=Use.OPTIONAL)
                if c.use is Use.REQUIRED and c.name in needless[i.name] - ruled[i.node]
                else c
                for c in i.columns
            ),
        )
        for i in serving.inputs
    ]
    return replace(serving, inputs=tuple(inputs))


class _Folded:
    """The graph with its constants frozen, and the rows that share a port with each request."""

    def __init__(self, graph: Graph, samples: Mapping[NodeId, Table]) -> None:
        self.graph, self.samples = graph, samples


class _Constants:
    """Computes what does not depend on a request, once."""

    def __init__(
        self,
        graph: Graph,
        checked: Check,
        assets: Assets,
        load: Callable[[Digest], Artifact],
        save: Callable[[Artifact], Digest],
    ) -> None:
        self.graph, self.checked, self.assets = graph, checked, assets
        self.load, self.save = load, save
        self.values: dict[NodeId, Mapping[str, Artifact | None]] = {}

    def fold(self, requests: list[NodeId], replies: list[NodeId]) -> _Folded:
        moving = self.graph.downstream(requests)
        samples: dict[NodeId, Table] = {}
        new = self.graph
        for node in requests:
            for wire in self.graph.wires_from(node):
                for other in data_wires_into(self.graph, wire.target.node, wire.target.port):
                    # The request brings these rows; the others only show what they look like.
                    new = new.without_wires(other)
                    value = self.value(other.source)
                    if isinstance(value, Table):
                        samples.setdefault(node, value)
        needed = new.upstream(replies)
        for wire in sorted(new.wires):
            source = wire.source
            if wire.target.node in needed & moving and source.node not in moving:
                new = self._freeze(new, wire)
        return _Folded(new, samples)

    def _freeze(self, graph: Graph, wire: Wire) -> Graph:
        node = self.graph.nodes[wire.source.node]
        if node.component in SAVED:
            return graph
        value = self.value(wire.source)
        kind, port = (
            ("saved-model", "trained_model")
            if isinstance(value, Model)
            else ("saved-transformation", "transformation")
            if isinstance(value, Transform)
            else ("saved-files", "files")
            if isinstance(value, FileBundle)
            else ("saved-data", "dataset")
        )
        if not isinstance(value, Model | Transform | Table | FileBundle):
            return graph
        frozen = NodeId(f"{wire.source.node}-{wire.source.port}")
        title = node.title or wire.source.node
        digest = self.save(value)
        saved = Node(kind, parameters={"name": title, "digest": digest}, title=title)
        return (
            graph.with_node(frozen, saved)
            .without_wires(wire)
            .with_wires(Wire(Pin(frozen, port), wire.target))
        )

    def value(self, pin: Pin) -> Artifact | None:
        if pin.node not in self.values:
            self.values[pin.node] = self._compute(pin.node)
        return self.values[pin.node].get(pin.port)

    def _compute(self, node: NodeId) -> Mapping[str, Artifact | None]:
        component = self.checked.components[node]
        ports = component.__component__.outputs
        if component.__component__.id == DATASET:
            asset = self.assets.dataset(
                getattr(component, "name", ""), getattr(component, "version", None)
            )
            return {ports[0].name: self.load(asset.digest)}
        if component.__component__.id in SAVED:
            return {ports[0].name: self.load(Digest(getattr(component, "digest", "")))}
        given = {**self._inputs(node, component), **_asked_for(component)}
        return outputs_by_port(component, component.run(**given))

    def _inputs(self, node: NodeId, component: Component) -> dict[str, Artifact | None]:
        given: dict[str, Artifact | None] = {}
        for port in component.__component__.inputs:
            wires = data_wires_into(self.graph, node, port.name)
            given[port.name] = self.value(wires[0].source) if wires else None
        return given


def _asked_for(component: Component) -> dict[str, Context]:
    asks = "context" in inspect.signature(component.run).parameters
    return {"context": Context()} if asks else {}


def _request(graph: Graph, checked: Check, node: NodeId, folded: _Folded) -> RequestInput:
    name = str(getattr(checked.components[node], "name", node))
    for wire in graph.wires_from(node):
        outline = checked.inputs.get(wire.target)
        sample = folded.samples.get(node)
        schema = (
            sample.schema
            if sample is not None
            else outline.schema
            if isinstance(outline, TableOutline)
            else None
        )
        if schema is not None:
            columns = request_columns(name, schema, _rules(checked, node))
            rows = json_rows(sample.frame.head(SAMPLE_ROWS)) if sample is not None else []
            return RequestInput(name, columns, node, tuple(rows))
    raise NotAnInferencePipeline(f'data beside the Web Service Input "{name}" to show its columns')


def _reply(graph: Graph, checked: Check, node: NodeId) -> ReplyOutput:
    name = str(getattr(checked.components[node], "name", node))
    outlines = [checked.outlines.get(w.source) for w in graph.wires_into(node)]
    known = next((o for o in outlines if isinstance(o, TableOutline)), None)
    component = checked.components[node]
    wanted = getattr(component, "columns", ColumnSelection.everything())
    if wanted == ColumnSelection.everything():
        return ReplyOutput(name, node, known.schema.columns if known else ())
    # Columns that may come besides those known are no matter where the chosen ones are named.
    if known is None or not (known.complete or wanted.begin == "none"):
        raise UnknownReplyColumns(name)
    chosen = wanted.resolve(known.schema, parameter="Reply columns", port="data")
    return ReplyOutput(name, node, tuple(known.schema.column(n) for n in chosen), chosen)


def _rules(checked: Check, node: NodeId) -> tuple[RequestRule, ...]:
    rules: tuple[RequestRule, ...] = getattr(checked.components[node], "columns", ())
    return rules


def _without_ignored(graph: Graph, checked: Check, constants: _Constants) -> Graph:
    """The graph in which the rows beside a request lack the columns that are not read."""
    for node, component in checked.components.items():
        ignored = {
            r.name for r in getattr(component, "columns", ()) if getattr(r, "use", "") == "ignored"
        }
        if graph.nodes[node].component != REQUEST_INPUT or not ignored:
            continue
        for wire in graph.wires_from(node):
            for other in data_wires_into(graph, wire.target.node, wire.target.port):
                value = constants.value(other.source)
                if not isinstance(value, Table) or not ignored & set(value.schema.names):
                    continue
                left = value.of(value.frame.drop(n for n in value.schema.names if n in ignored))
                name = f"{other.source.node}-{other.source.port}-sent"
                saved = Node(
                    "saved-data", parameters={"name": name, "digest": constants.save(left)}
                )
                graph = (
                    graph.with_node(NodeId(name), saved)
                    .without_wires(other)
                    .with_wires(Wire(Pin(NodeId(name), "dataset"), other.target))
                )
    return graph


def choose_reply_columns(serving: Serving, chosen: Mapping[str, tuple[str, ...]]) -> Serving:
    """The same serving with only some columns in the replies, by output name."""
    outputs = tuple(
        replace(o, chosen=chosen[o.name]) if o.name in chosen else o for o in serving.outputs
    )
    return replace(serving, outputs=outputs)
