"""Which nodes of a serving graph are formulas, and the one formula from an input to an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modelwright.components.contract import Component
from modelwright.components.library import Library
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.expression import Compute, Drop, Filter, Formula, Step
from modelwright.data.expression.nodes import Expression, NativeCall
from modelwright.data.fitted import Model, Transform
from modelwright.data.schema import Column, ColumnType, Role, Schema
from modelwright.data.table import Table
from modelwright.graph.check import REPLY_OUTPUT, REQUEST_INPUT, SAVED
from modelwright.graph.graph import Graph, NodeId, Pin, Wire
from modelwright.inference.errors import UnservablePipeline
from modelwright.inference.plan import Chain, NativePlace, PlannedStep, ScoringPlan, tagged
from modelwright.inference.serving import RequestInput, Serving


def make_plan(serving: Serving, library: Library) -> ScoringPlan:
    """How the serving answers requests.  Raises UnservablePipeline, and what components raise."""
    return _Planner(serving, library).plan()


def steps_by_node(
    serving: Serving, library: Library
) -> tuple[tuple[NodeId, frozenset[Expression]], ...]:
    """The expressions of all formulas up to and with each node, in the order of the nodes."""
    planner = _Planner(serving, library)
    planner.plan()
    return tuple(
        (pin.node, frozenset(Formula(*way.steps).expressions()))
        for pin, way in planner.ways.items()
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What a node does on the way from an input, by itself.  reads: the columns it finds."""

    node: NodeId
    input: str
    after: NodeId | None
    reads: Schema
    formula: Formula
    natives: Mapping[str, NativePlace]


def ways_of(serving: Serving, library: Library) -> dict[Pin, Way]:
    """The way to each output of a node that rows reach by formulas alone."""
    planner = _Planner(serving, library)
    planner.plan()
    return planner.ways


def parts_of(serving: Serving, library: Library) -> tuple[Part, ...]:
    """The nodes that are formulas, each after the one it follows; `after` names that one."""
    planner = _Planner(serving, library)
    planner.plan()
    return tuple(planner.parts)


def unread(serving: Serving, library: Library) -> dict[str, frozenset[str]]:
    """By name of the input, the columns that are dropped before anything reads them.

    Raises as `make_plan`.
    """
    planner = _Planner(serving, library)
    compiled = {step.node for step in planner.plan().steps if step.compiled}
    chosen = {o.node: o.chosen for o in serving.outputs}
    given = {i.name: request_schema(i) for i in serving.inputs}
    read: dict[str, set[str]] = {name: set() for name in given}
    for node in planner.used - compiled:
        for port in {w.target.port for w in serving.graph.wires_into(node)}:
            pin = source_of(serving.graph, node, port)
            way = planner.ways.get(pin) if pin is not None else None
            if way is not None:
                formula = Formula(*way.steps)
                if (names := chosen.get(node)) is not None:
                    formula = formula.prune(names)
                read[way.input] |= formula.required()
                read[way.input].update(formula.outputs(given[way.input]).names)
    return {name: frozenset(schema.names) - read[name] for name, schema in given.items()}


def source_of(graph: Graph, node: NodeId, port: str) -> Pin | None:
    """What feeds a port when a request is answered: a Web Service Input before anything else."""
    wires = graph.wires_into(node, port)
    first = sorted(wires, key=lambda w: graph.nodes[w.source.node].component != REQUEST_INPUT)
    return first[0].source if first else None


def request_schema(request_input: RequestInput) -> Schema:
    """The columns of the rows that enter, as the first step sees them."""
    return Schema(tuple(Column(c.name, c.type) for c in request_input.read))


@dataclass(frozen=True, slots=True)
class Way:
    """How rows have come from an input up to here.

    schema: the columns they have now.  node: the last one on the way, None at the input itself.
    """

    input: str
    schema: Schema
    steps: tuple[Step, ...] = ()
    node: NodeId | None = None
    natives: Mapping[str, NativePlace] = field(default_factory=dict)


class _Planner:
    def __init__(self, serving: Serving, library: Library) -> None:
        self.serving = serving
        self.graph = serving.graph
        self.library = library
        self.used = self._used()
        self.ways: dict[Pin, Way] = {}
        self.constants: dict[Pin, Digest] = {}
        self.parts: list[Part] = []

    def plan(self) -> ScoringPlan:
        steps: list[PlannedStep] = []
        inputs = {i.node: i for i in self.serving.inputs}
        for node_id in self.graph.order():
            if node_id not in self.used:
                continue
            node = self.graph.nodes[node_id]
            component = self.library.make(node.component, node.version, node.parameters)
            spec = component.__component__
            title = node.title or spec.title
            if spec.id == REQUEST_INPUT:
                self._enter(node_id, spec.outputs[0].name, inputs)
            elif spec.id in SAVED:
                digest = Digest(getattr(component, "digest", ""))
                self.constants[Pin(node_id, spec.outputs[0].name)] = digest
            elif spec.id != REPLY_OUTPUT:
                compiled = self._follow(node_id, component)
                steps.append(PlannedStep(node_id, title, spec.id, compiled=compiled))
        return ScoringPlan(tuple(steps), self._chains())

    def _used(self) -> frozenset[NodeId]:
        """The nodes that replies come from."""
        waiting = [o.node for o in self.serving.outputs]
        if not waiting:
            raise UnservablePipeline(
                "The pipeline has no Web Service Output.", "Add one where replies leave."
            )
        found: set[NodeId] = set()
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                ports = {w.target.port for w in self.graph.wires_into(node)}
                sources = [source_of(self.graph, node, p) for p in ports]
                waiting.extend(s.node for s in sources if s is not None)
        if not any(i.node in found for i in self.serving.inputs):
            raise UnservablePipeline(
                "No Web Service Input leads to a Web Service Output.",
                "Connect the place where requests enter.",
            )
        return frozenset(found)

    def _enter(self, node: NodeId, port: str, inputs: Mapping[NodeId, RequestInput]) -> None:
        if node not in inputs:
            raise UnservablePipeline(
                f'The columns of the Web Service Input "{node}" are not known.',
                "Prepare the pipeline for serving again.",
                node=node,
            )
        self.ways[Pin(node, port)] = Way(inputs[node].name, request_schema(inputs[node]))

    def _follow(self, node: NodeId, component: Component) -> bool:
        """Go on through a node when it is a formula; whether it is."""
        spec = component.__component__
        sources = {p.name: source_of(self.graph, node, p.name) for p in spec.inputs}
        given = {name: pin for name, pin in sources.items() if pin is not None}
        ways = [self.ways[pin] for pin in given.values() if pin in self.ways]
        fixed = [self.constants[pin] for pin in given.values() if pin in self.constants]
        out = [p.name for p in spec.outputs if issubclass(p.type, Table)]
        if len(ways) != 1 or len(ways) + len(fixed) != len(given) or len(out) != 1:
            return False
        way = _followed(node, component, ways[0], {d: self.serving.artifacts[d] for d in fixed})
        if way is None:
            return False
        before = ways[0]
        own = Formula(*way.steps[len(before.steps) :])
        natives = {n: p for n, p in way.natives.items() if n in own.natives()}
        self.parts.append(Part(node, way.input, before.node, before.schema, own, natives))
        self.ways[Pin(node, out[0])] = way
        return True

    def _chains(self) -> tuple[Chain, ...] | None:
        chains = []
        for output in self.serving.outputs:
            wires: tuple[Wire, ...] = self.graph.wires_into(output.node)
            way = self.ways.get(wires[0].source) if wires else None
            if way is None:
                return None
            formula = Formula(*way.steps)
            if output.chosen is not None:
                formula = formula.prune(output.chosen)
            chains.append(
                Chain(
                    output.name,
                    way.input,
                    formula,
                    {n: p for n, p in way.natives.items() if n in formula.natives()},
                )
            )
        return tuple(chains)


def _followed(
    node: NodeId, component: Component, way: Way, fixed: Mapping[Digest, Artifact]
) -> Way | None:
    spec = component.__component__
    match spec.id, list(fixed.items()):
        case _, []:
            formula = component.formula(way.schema)
            if formula is None:
                return None
            return _extended(node, way, formula, {}, formula.outputs(way.schema))
        case "apply-transformation", [(digest, Transform() as transform)]:
            if not _as_fitted(transform, way.schema):
                return None
            after = transform.formula.outputs(way.schema)
            return _extended(
                node,
                way,
                transform.formula,
                _places(digest, transform),
                after.put(*_typed(transform.marks, after)),
            )
        case "score-model", [(digest, Model() as model)] if type(model) is Model:
            if not _as_trained(model.features, way.schema):
                return None
            # A score column of an earlier model would otherwise stay in its old place.
            old = [n for n in model.scores.names if n in way.schema]
            formula = Formula(Drop(old)).then(model.formula) if old else model.formula
            after = formula.outputs(way.schema)
            after = after.put(*_typed(model.scores, after))
            if model.label is not None and model.label.name in after:
                after = after.put(replace(after.column(model.label.name), role=Role.LABEL))
            return _extended(node, way, formula, _places(digest, model), after)
    return None


def _as_fitted(transform: Transform, found: Schema) -> bool:
    """Whether all that the transformation reads is there in its types; else the step refuses."""
    for name in transform.formula.required():
        if name not in found:
            return False
        fitted = transform.schema.column(name).type if name in transform.schema else None
        kinds = (found.column(name).type, fitted)
        if kinds[1] is not None and kinds[0] is not kinds[1]:
            return False
    return True


def _as_trained(features: Schema, found: Schema) -> bool:
    """Whether the features are there in their types, so that scoring converts nothing.

    A whole number that is no category is the same number as a fractional one.
    """
    for feature in features:
        if feature.name not in found:
            return False
        kinds = (found.column(feature.name).type, feature.type)
        widened = kinds == (ColumnType.DOUBLE, ColumnType.INTEGER) and not feature.categorical
        if kinds[0] is not kinds[1] and not widened:
            return False
    return True


def _typed(marks: Schema, columns: Schema) -> list[Column]:
    return [replace(m, type=columns.column(m.name).type) for m in marks if m.name in columns]


def _places(digest: Digest, fitted: Transform | Model) -> dict[str, NativePlace]:
    return {
        name: NativePlace(digest, name, native.kind, native.notes)
        for name, native in fitted.natives.items()
    }


def _extended(
    node: NodeId,
    way: Way,
    formula: Formula,
    natives: Mapping[str, NativePlace],
    after: Schema,
) -> Way:
    """The way with a node's steps added; what they call and why they drop rows bears its name."""
    names = {name: f"{node}/{name}" for name in natives}
    steps = tuple(_named(step, node, names) for step in formula.steps)
    called = {names[name]: place for name, place in natives.items()}
    return Way(way.input, after, (*way.steps, *steps), node, {**way.natives, **called})


def _named(step: Step, node: NodeId, natives: Mapping[str, str]) -> Step:
    match step:
        case Compute(columns):
            return Compute({n: _calling(e, natives) for n, e in columns.items()})
        case Filter(condition, reason):
            return Filter(_calling(condition, natives), tagged(node, reason))
    return step


def _calling(expression: Expression, natives: Mapping[str, str]) -> Expression:
    """The expression with native values called by other names."""
    from modelwright.data.expression.codec import expression_from_json, expression_to_json

    if not any(isinstance(n, NativeCall) for n in expression.walk()):
        return expression
    value: Any = _renamed(expression_to_json(expression), natives)
    return expression_from_json(value)


def _renamed(value: Any, natives: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(v, natives) for v in value]
    if not isinstance(value, dict):
        return value
    found = {k: _renamed(v, natives) for k, v in value.items()}
    if found.get("is") == NativeCall.tag:
        found["name"] = natives[found["name"]]
    return found
