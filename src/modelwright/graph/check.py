"""What is wrong with a draft, and what is known of each value on its wires, before any run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from pydantic import ValidationError

from modelwright.components.contract import Component, Port, invalid_parameters
from modelwright.components.library import Library
from modelwright.components.outline import (
    LearnerOutline,
    ModelOutline,
    Outline,
    TableOutline,
    TransformOutline,
)
from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError, nearest
from modelwright.graph.assets import Assets, DatasetAsset
from modelwright.graph.graph import Graph, NodeId, Pin, Wire
from modelwright.graph.leakage import leakage_problems
from modelwright.graph.problems import Fix, Problem
from modelwright.graph.submission import refusal

REQUEST_INPUT = "web-service-input"
REPLY_OUTPUT = "web-service-output"
DATASET = "dataset"
SAVED = ("saved-model", "saved-transformation", "saved-data", "saved-files")


@dataclass(frozen=True)
class Check:
    """The result of checking a draft.

    outlines: what is known of each output; None where nothing is.  inputs: the same for each
    connected input.  components: the configured component of each node that could be configured.
    """

    problems: tuple[Problem, ...]
    outlines: Mapping[Pin, Outline | None]
    inputs: Mapping[Pin, Outline | None]
    components: Mapping[NodeId, Component]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the draft from running."""
        return tuple(p for p in self.problems if p.severity == "error")


def check(graph: Graph, *, library: Library, assets: Assets) -> Check:
    """Find every problem of a draft and follow the columns along its wires.  Never raises for one."""
    problems: list[Problem] = []
    components: dict[NodeId, Component] = {}
    for node_id in graph.nodes:
        component, found = _configure(graph, node_id, library)
        problems.extend(found)
        if component is not None:
            components[node_id] = component
    problems.extend(_wire_problems(graph, library))
    problems.extend(_input_problems(graph, library))
    problems.extend(_cycle_problems(graph))
    problems.extend(_service_problems(graph, components))
    problems.extend(_parameter_problems(graph, library))
    problems.extend(leakage_problems(graph, components))
    if not graph.nodes:
        problems.append(
            Problem(
                "empty-pipeline",
                "The pipeline has no nodes.",
                "Drag a data set and a component onto the canvas.",
            )
        )
    broken = {p.node for p in problems if p.node and p.severity == "error"}
    # Many nodes may name one data set; it is looked up once.
    dataset = cache(assets.dataset)
    outlines: dict[Pin, Outline | None] = {}
    inputs: dict[Pin, Outline | None] = {}
    for node_id in graph.order():
        component = components.get(node_id)
        if component is None:
            continue
        given = {p.name: _arriving(graph, node_id, p, outlines) for p in _ports(component)}
        inputs.update({Pin(node_id, p): o for p, o in given.items()})
        try:
            made = _outline(component, given, assets, dataset) if node_id not in broken else {}
        except ModelwrightError as error:
            problems.append(Problem.of(error, node_id))
            made = {}
        for port in component.__component__.outputs:
            outlines[Pin(node_id, port.name)] = made.get(port.name)
    rank = {node_id: place for place, node_id in enumerate(graph.nodes)}
    problems.sort(key=lambda p: (p.severity != "error", rank.get(p.node, -1) if p.node else -1))
    return Check(tuple(problems), outlines, inputs, components)


def data_wires_into(graph: Graph, node_id: NodeId, port: str) -> tuple[Wire, ...]:
    """Wires into a port that bring data in a run: all but those of a Web Service Input."""
    return tuple(
        w
        for w in graph.wires_into(node_id, port)
        if w.source.node in graph.nodes and not _is_request(graph, w)
    )


def may_connect(source: Port, target: Port) -> bool:
    """Whether what an output gives is what an input takes."""
    return issubclass(source.type, target.type)


def _is_request(graph: Graph, wire: Wire) -> bool:
    source = graph.nodes.get(wire.source.node)
    return source is not None and source.component == REQUEST_INPUT


def _ports(component: Component) -> tuple[Port, ...]:
    return component.__component__.inputs


def _configure(
    graph: Graph, node_id: NodeId, library: Library
) -> tuple[Component | None, list[Problem]]:
    node = graph.nodes[node_id]
    try:
        values = library.upgrade(node.component, node.version, node.parameters)
        kind = library.find(node.component)
    except ModelwrightError as error:
        return None, [Problem.of(error, node_id)]
    try:
        return kind.model_validate(values), []
    except ValidationError as error:
        found = invalid_parameters(kind, error)
        names = [str(f["loc"][0]) if f["loc"] else None for f in error.errors(include_url=False)]
        return None, [
            _parameter_problem(node_id, fault, name, values)
            for fault, name in zip(found, names, strict=True)
        ]


def _parameter_problem(
    node_id: NodeId, fault: ModelwrightError, name: str | None, values: Mapping[str, Any]
) -> Problem:
    from dataclasses import replace

    problem = replace(Problem.of(fault, node_id), parameter=name)
    if name is None or name not in values:
        return replace(problem, code="missing-parameter") if name else problem
    edit = {"edit": "reset_parameter", "node_id": node_id, "name": name}
    return replace(problem, fix=Fix("Reset to the default", (edit,)))


def _wire_problems(graph: Graph, library: Library) -> Iterator[Problem]:
    for wire in sorted(graph.wires):
        source, target = graph.nodes.get(wire.source.node), graph.nodes.get(wire.target.node)
        removal = Fix(
            "Remove the wire",
            ({"edit": "disconnect", "source": str(wire.source), "target": str(wire.target)},),
        )
        if source is None or target is None:
            missing = wire.source.node if source is None else wire.target.node
            near = nearest(missing, list(graph.nodes))
            yield Problem(
                "unknown-node",
                f'The wire {wire.source} → {wire.target} leads to a node "{missing}" that is not there.',
                f"{'Nearest: ' + ', '.join(near) + '. ' if near else ''}Remove it or draw it anew.",
                node=wire.target.node if target else None,
                port=wire.target.port if target else None,
                fix=removal,
            )
            continue
        if source.component not in library or target.component not in library:
            continue
        out = library.spec(source.component).output(wire.source.port)
        into = library.spec(target.component).input(wire.target.port)
        if out is None or into is None:
            pin = wire.source if out is None else wire.target
            spec = library.spec(source.component if out is None else target.component)
            names = [p.name for p in (spec.outputs if out is None else spec.inputs)]
            side = "output" if out is None else "input"
            yield Problem(
                "unknown-port",
                f'"{spec.title}" has no {side} "{pin.port}".',
                f"Its {side}s are: {', '.join(names) or 'none'}.",
                node=pin.node,
                port=pin.port,
                fields={"ports": names},
                fix=removal,
            )
        elif not may_connect(out, into):
            yield Problem(
                "wrong-port-type",
                f'"{into.title}" takes {_one(into)}; the wire from {wire.source} brings {_one(out)}.',
                "Remove the wire and connect an output of the right kind.",
                node=wire.target.node,
                port=wire.target.port,
                fields={"found": out.type.kind, "wanted": into.type.kind},
                fix=removal,
            )


def _one(port: Port) -> str:
    """What a port takes or gives, in a sentence."""
    title = port.type.title.lower()
    return f"{'an' if title[0] in 'aeiou' else 'a'} {title}"


def _input_problems(graph: Graph, library: Library) -> Iterator[Problem]:
    for node_id, node in graph.nodes.items():
        if node.component not in library:
            continue
        for port in library.spec(node.component).inputs:
            wires = graph.wires_into(node_id, port.name)
            requests = [w for w in wires if _is_request(graph, w)]
            data = len(wires) - len(requests)
            if data > 1 or len(requests) > 1:
                yield Problem(
                    "port-taken",
                    f'{len(wires)} wires end at input "{port.title}", which takes one.',
                    "Remove all but one.",
                    node=node_id,
                    port=port.name,
                )
            elif requests and not data:
                yield Problem(
                    "input-without-schema",
                    f'Only a Web Service Input feeds "{port.title}", so its columns are not known.',
                    "Connect a data set with sample rows to the same input.",
                    node=node_id,
                    port=port.name,
                )
            elif not wires and not port.optional:
                yield Problem(
                    "unconnected-input",
                    f'Input "{port.title}" is not connected.',
                    f"Draw a wire to it from an output that gives {_one(port)}.",
                    node=node_id,
                    port=port.name,
                )


def _cycle_problems(graph: Graph) -> Iterator[Problem]:
    ordered = set(graph.order())
    left = [n for n in graph.nodes if n not in ordered]
    on_cycle = [
        n for n in left if any(n in graph.downstream([w.target.node]) for w in graph.wires_from(n))
    ]
    for node_id in on_cycle:
        yield Problem(
            "cycle",
            "The wires lead from this node back to itself: " + ", ".join(on_cycle) + ".",
            "Remove one of the wires on the way.",
            node=node_id,
            fields={"nodes": list(on_cycle)},
        )


def _service_problems(graph: Graph, components: Mapping[NodeId, Component]) -> Iterator[Problem]:
    for kind in (REQUEST_INPUT, REPLY_OUTPUT):
        named = {
            n: str(getattr(c, "name", ""))
            for n, c in components.items()
            if graph.nodes[n].component == kind
        }
        count = Counter(named.values())
        for node_id, name in named.items():
            if count[name] > 1:
                yield Problem(
                    "name-not-unique",
                    f'{count[name]} nodes of this kind have the name "{name}".',
                    "Give each a name of its own.",
                    node=node_id,
                    parameter="name",
                    fields={"name": name},
                )


def _parameter_problems(graph: Graph, library: Library) -> Iterator[Problem]:
    for name, parameter in graph.parameters.items():
        for node_id, target in parameter.targets:
            node = graph.nodes.get(node_id)
            known = (
                [p.name for p in library.spec(node.component).parameters]
                if node and node.component in library
                else None
            )
            if node is None or (known is not None and target not in known):
                yield Problem(
                    "unknown-parameter-target",
                    f'Pipeline parameter "{name}" sets {node_id}.{target}, which is not there.',
                    "Take that target away, or name a parameter of a node.",
                    node=node_id if node else None,
                    parameter=target if node else None,
                    fields={"name": name},
                )
            elif why := refusal(graph, node_id, target, parameter.default, library):
                yield Problem(
                    "wrong-parameter-default",
                    f'The default of pipeline parameter "{name}" is not allowed for '
                    f"{node_id}.{target}: {why}.",
                    "Give it another default, or a value with each submission.",
                    node=node_id,
                    parameter=target,
                    severity="warning",
                    fields={"name": name, "why": why},
                )


def _arriving(
    graph: Graph, node_id: NodeId, port: Port, outlines: Mapping[Pin, Outline | None]
) -> Outline | None:
    wires = data_wires_into(graph, node_id, port.name)
    if len(wires) != 1:
        return None
    outline = outlines.get(wires[0].source)
    return outline if outline is None or _KINDS.get(type(outline)) == port.type.kind else None


_KINDS = {
    TableOutline: "table",
    ModelOutline: "model",
    LearnerOutline: "untrained-model",
    TransformOutline: "transform",
}


def _outline(
    component: Component,
    given: Mapping[str, Outline | None],
    assets: Assets,
    dataset: Callable[[str, int | None], DatasetAsset],
) -> Mapping[str, Outline | None]:
    spec = component.__component__
    if spec.id == DATASET:
        asset = dataset(getattr(component, "name", ""), getattr(component, "version", None))
        return {spec.outputs[0].name: TableOutline(asset.schema, rows=asset.rows)}
    if spec.id in SAVED:
        digest = Digest(getattr(component, "digest", ""))
        return {spec.outputs[0].name: assets.outline(digest)}
    # Outlines that hold a fitted transformation are equal to others that hold another.
    if any(isinstance(o, TransformOutline) and o.fitted is not None for o in given.values()):
        return component.outline(**given)
    try:
        return _followed(component, tuple(given.items()))
    except TypeError:
        return component.outline(**given)


@lru_cache(maxsize=4096)
def _followed(
    component: Component, given: tuple[tuple[str, Outline | None], ...]
) -> Mapping[str, Outline | None]:
    """What a component makes of what is known of its inputs: the same each time, so it is kept.

    A draft is checked at each edit of it, which changes one node.  Raises TypeError for settings that
    cannot be told apart by their hash, and what the component raises, which is never kept.
    """
    return component.outline(**dict(given))
