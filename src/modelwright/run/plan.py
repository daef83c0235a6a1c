"""A checked graph as ordered steps: which will run, which are reused, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from modelwright.components.library import Library
from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.store import Store
from modelwright.graph.assets import Assets, LostDataset, UnknownArtifact
from modelwright.graph.check import (
    DATASET,
    REQUEST_INPUT,
    SAVED,
    Check,
    check,
    data_wires_into,
)
from modelwright.graph.edits import assign, find_node
from modelwright.graph.graph import Graph, NodeId, Pin
from modelwright.graph.problems import PipelineProblems, Problem
from modelwright.graph.submission import check_values
from modelwright.run import reasons
from modelwright.run.history import History
from modelwright.run.judge import Judge, Task, Verdict
from modelwright.run.outputs import Output
from modelwright.run.reasons import Reason

Action = Literal["source", "run", "reuse"]


@dataclass(frozen=True)
class Step:
    """A node's part in a run.

    action: "source" for a stored value, "reuse" for a known result, otherwise "run".
    certain: False for a step that runs only if an input that is being made comes out different.
    key: None while an input is unknown.  outputs: what is known already, by port.
    """

    task: Task
    title: str
    action: Action
    reasons: tuple[Reason, ...]
    certain: bool = True
    key: str | None = None
    outputs: Mapping[str, Output] = field(default_factory=dict)

    @property
    def node(self) -> NodeId:
        """The node's id."""
        return self.task.node

    @property
    def inputs(self) -> Mapping[str, Pin]:
        """Where each input comes from, by port; a port that nothing feeds is absent."""
        return self.task.inputs

    @property
    def reason(self) -> str:
        """All reasons as one text."""
        return " ".join(r.text for r in self.reasons)

    def to_json(self) -> dict[str, Any]:
        """The step as JSON, without its component's instance."""
        spec = self.task.component.__component__
        return {
            "node": self.node,
            "title": self.title,
            "component": spec.id,
            "version": spec.version,
            "settings": dict(self.task.settings),
            "action": self.action,
            "certain": self.certain,
            "reason": self.reason,
            "reasons": [r.to_json() for r in self.reasons],
            "key": self.key,
            "inputs": {port: str(pin) for port, pin in self.inputs.items()},
            "outputs": {port: output.to_json() for port, output in self.outputs.items()},
        }


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which each comes after all that feed it.

    graph: with all settings applied.  pipeline: the name under which history knows the nodes.
    warnings: problems of the graph that do not keep it from running.
    """

    graph: Graph
    pipeline: str
    steps: tuple[Step, ...]
    judge: Judge
    history: History | None = None
    warnings: tuple[Problem, ...] = ()

    def step(self, node: NodeId) -> Step:
        """The step of a node.  Raises KeyError for a node that is not part of the plan."""
        for step in self.steps:
            if step.node == node:
                return step
        raise KeyError(node)

    def to_json(self) -> dict[str, Any]:
        """Pipeline, steps and warnings."""
        return {
            "pipeline": self.pipeline,
            "steps": [s.to_json() for s in self.steps],
            "warnings": [w.to_json() for w in self.warnings],
        }


def plan(
    graph: Graph,
    *,
    library: Library,
    store: Store,
    assets: Assets,
    history: History | None = None,
    pipeline: str | None = None,
    settings: Mapping[str, Any] | None = None,
    until: str | None = None,
    rerun: bool = False,
    regenerate: Collection[str] = (),
) -> Plan:
    """Say what a run of the graph would do.

    settings: values by pipeline parameter or by "node.parameter".  until: only that node and what it
    needs.  rerun: reuse nothing.  regenerate: nodes that run whatever is known.  pipeline: the name
    for history; the graph's own by default.

    Raises PipelineProblems when a node that is needed has a problem, UnknownNode,
    UnknownPipelineParameter and WrongParameterValue.
    """
    for node in (until, *regenerate):
        if node is not None:
            find_node(graph, node)
    check_values(graph, settings or {}, library)
    graph = assign(graph, settings or {})
    checked = check(graph, library=library, assets=assets)
    needed = graph.upstream([NodeId(until)]) if until is not None else frozenset(graph.nodes)
    if errors := tuple(p for p in checked.errors if p.node is None or p.node in needed):
        raise PipelineProblems(errors)
    name = pipeline if pipeline is not None else graph.name
    judge = Judge(library, store, history.last(name) if history else {})
    forced = frozenset(graph.nodes) if rerun else frozenset(map(NodeId, regenerate))
    steps = _steps(graph, checked, [n for n in graph.order() if n in needed], judge, assets, forced)
    warnings = tuple(p for p in checked.problems if p.severity != "error")
    return Plan(graph, name, steps, judge, history, warnings)


def _steps(
    graph: Graph,
    checked: Check,
    order: Iterable[NodeId],
    judge: Judge,
    assets: Assets,
    forced: Collection[NodeId],
) -> tuple[Step, ...]:
    known: dict[Pin, Output] = {}
    steps: list[Step] = []
    for node in order:
        task = _task(graph, checked, node, forced=node in forced)
        step = _source(graph, task, judge, assets)
        if step is None:
            given = {port: known.get(pin) for port, pin in task.inputs.items()}
            step = _judged(graph, task, judge.verdict(task, given))
        known.update({Pin(node, port): output for port, output in step.outputs.items()})
        steps.append(step)
    return tuple(steps)


def _task(graph: Graph, checked: Check, node: NodeId, *, forced: bool) -> Task:
    component = checked.components[node]
    wires = {
        port.name: data_wires_into(graph, node, port.name)
        for port in component.__component__.inputs
    }
    inputs = {port: found[0].source for port, found in wires.items() if found}
    return Task(node, component, inputs, forced)


def _judged(graph: Graph, task: Task, verdict: Verdict) -> Step:
    return Step(
        task,
        _title(graph, task),
        "reuse" if verdict.action == "reuse" else "run",
        verdict.reasons,
        verdict.action != "wait",
        verdict.key,
        verdict.outputs,
    )


def _source(graph: Graph, task: Task, judge: Judge, assets: Assets) -> Step | None:
    """The step of a node that stands for a stored value; None for any other."""
    spec = task.component.__component__
    title = _title(graph, task)
    if spec.id == REQUEST_INPUT:
        return Step(task, title, "source", (reasons.request_only(),))
    if spec.id == DATASET:
        name, version = (
            getattr(task.component, "name", ""),
            getattr(task.component, "version", None),
        )
        asset = assets.dataset(name, version)
        what = f'Version {asset.version} of data set "{asset.name}"'
        digest = asset.digest
        summary = {"rows": asset.rows, "columns": len(asset.schema)}
        lost: ModelwrightError = LostDataset(asset.name, asset.version)
    elif spec.id in SAVED:
        digest = Digest(getattr(task.component, "digest", ""))
        what, summary = "The saved value", {}
        lost = UnknownArtifact(digest)
    else:
        return None
    if not judge.store.has(digest):
        raise PipelineProblems((Problem.of(lost, task.node),))
    port = spec.outputs[0]
    outputs = {port.name: Output(digest, port.type.kind, summary)}
    return Step(task, title, "source", (reasons.as_stored(what),), outputs=outputs)


def _title(graph: Graph, task: Task) -> str:
    return graph.nodes[task.node].title or task.component.__component__.title
