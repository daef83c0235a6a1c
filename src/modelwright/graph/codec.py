"""The pipeline file: readable YAML that differs where the pipeline differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.graph.edits import NODE_ID
from modelwright.graph.graph import Graph, Node, NodeId, Pin, PipelineParameter, Wire

RESOURCES = ("cpus", "gpus", "memory")
"""What a node may ask for of the place where it runs; memory in bytes."""

FORMAT = 1
"""Version of the file format; the first line of a file names it."""

_TOP = ("modelwright", "name", "description", "compute", "parameters", "nodes", "layout")
_NODE = (
    *("component", "version", "title", "comment"),
    *("compute", "resources", "parameters", "inputs"),
)
_PARAMETER = ("default", "sets", "description")
_LAYOUT = ("positions", "notes", "groups")


@dataclass(frozen=True)
class Layout:
    """Where things stand on the canvas; changes no result.

    positions: (x, y) by node.  notes and groups: as the studio keeps them.
    """

    positions: Mapping[NodeId, tuple[float, float]] = field(default_factory=dict)
    notes: tuple[Mapping[str, Any], ...] = ()
    groups: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Document:
    """What a pipeline file holds."""

    graph: Graph
    layout: Layout = field(default_factory=Layout)


class PipelineFileError(ModelwrightError):
    """A pipeline file cannot be read: says the line and the field."""

    code = "pipeline-file-error"

    def __init__(self, why: str, *, line: int | None, at: str = "", remedy: str = "") -> None:
        place = f"Line {line} of the pipeline file" if line else "The pipeline file"
        super().__init__(
            f"{place}{f', at {at}' if at else ''}: {why}.",
            remedy=remedy or "Mend the file there.",
            line=line,
            at=at,
            why=why,
        )


class NewerFileFormat(ModelwrightError):
    """A pipeline file was written by a later version."""

    code = "newer-file-format"

    def __init__(self, found: int) -> None:
        super().__init__(
            f"The pipeline file has format {found}; this version reads formats up to {FORMAT}.",
            remedy="Update Modelwright, or export the pipeline again from the older version.",
            found=found,
            known=FORMAT,
        )


def read(text: str) -> Document:
    """The pipeline that a file's text holds.

    Raises PipelineFileError with line and field, and NewerFileFormat.  Components need not be
    installed: they are kept with their parameters, and `check` tells.
    """
    root = _compose(text)
    top = _Fields(root, "", _TOP)
    version = top.value("modelwright")
    if not isinstance(version, int) or isinstance(version, bool):
        raise PipelineFileError(
            "the file does not begin with its format",
            line=1,
            at="modelwright",
            remedy=f'Begin the file with the line "modelwright: {FORMAT}".',
        )
    if version > FORMAT:
        raise NewerFileFormat(version)
    top.refuse_others()
    nodes: dict[NodeId, Node] = {}
    wires: set[Wire] = set()
    for node_id, fields in top.mappings("nodes", _NODE):
        if not NODE_ID.fullmatch(node_id):
            raise PipelineFileError(
                f'"{node_id}" is no id for a node',
                line=fields.line,
                at=f"nodes.{node_id}",
                remedy='Use letters, digits, "-" and "_".',
            )
        fields.refuse_others()
        nodes[NodeId(node_id)] = Node(
            component=fields.text("component", required=True),
            version=fields.integer("version", 1),
            parameters=fields.mapping("parameters"),
            title=fields.text("title"),
            comment=fields.text("comment"),
            compute=fields.text("compute"),
            resources=fields.amounts("resources", RESOURCES),
        )
        wires.update(_wires(NodeId(node_id), fields))
    graph = Graph(
        top.text("name"),
        top.text("description"),
        nodes,
        frozenset(wires),
        dict(_parameters(top)),
        top.text("compute"),
    )
    return Document(graph, _layout(top))


def write(document: Document) -> str:
    """The file's text: fields in one order, nodes in theirs, defaults left out."""
    graph, layout = document.graph, document.layout
    out: dict[str, Any] = {"modelwright": FORMAT}
    if graph.name:
        out["name"] = graph.name
    if graph.description:
        out["description"] = graph.description
    if graph.compute:
        out["compute"] = graph.compute
    if graph.parameters:
        out["parameters"] = {
            name: _without_empty(
                {
                    "description": p.description,
                    "default": p.default,
                    "sets": [f"{node}.{parameter}" for node, parameter in p.targets],
                },
                keep=("default",),
            )
            for name, p in graph.parameters.items()
        }
    out["nodes"] = {node_id: _node_fields(graph, node_id) for node_id in graph.nodes}
    placed = {n: _Flow(_rounded(xy)) for n, xy in layout.positions.items() if n in graph.nodes}
    placement = _without_empty(
        {
            "positions": placed,
            "notes": [dict(n) for n in layout.notes],
            "groups": [dict(g) for g in layout.groups],
        }
    )
    if placement:
        out["layout"] = placement
    return yaml.dump(out, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2)


def _node_fields(graph: Graph, node_id: NodeId) -> dict[str, Any]:
    node = graph.nodes[node_id]
    inputs: dict[str, Any] = {}
    for wire in graph.wires_into(node_id):
        inputs.setdefault(wire.target.port, []).append(str(wire.source))
    fields = {
        "component": node.component,
        "version": node.version if node.version != 1 else None,
        "title": node.title,
        "comment": node.comment,
        "compute": node.compute,
        "resources": dict(node.resources),
        "parameters": dict(node.parameters),
        "inputs": {p: s[0] if len(s) == 1 else s for p, s in inputs.items()},
    }
    return _without_empty(fields)


def _without_empty(fields: dict[str, Any], keep: tuple[str, ...] = ()) -> dict[str, Any]:
    return {k: v for k, v in fields.items() if k in keep or v not in (None, "", {}, [])}


def _rounded(xy: tuple[float, float]) -> list[float | int]:
    return [int(v) if float(v).is_integer() else round(float(v), 1) for v in xy]


def _wires(node_id: NodeId, fields: _Fields) -> Iterator[Wire]:
    for port, sources in fields.mapping("inputs").items():
        for source in sources if isinstance(sources, list) else [sources]:
            try:
                pin = Pin.parse(str(source))
            except ValueError:
                raise PipelineFileError(
                    f'"{source}" names no output',
                    line=fields.line_of("inputs"),
                    at=f"nodes.{node_id}.inputs.{port}",
                    remedy='Write it as "node.port".',
                ) from None
            yield Wire(pin, Pin(node_id, str(port)))


def _parameters(top: _Fields) -> Iterator[tuple[str, PipelineParameter]]:
    for name, fields in top.mappings("parameters", _PARAMETER):
        fields.refuse_others()
        targets = []
        for text in fields.items("sets"):
            node, dot, parameter = str(text).partition(".")
            if not dot:
                raise PipelineFileError(
                    f'"{text}" names no parameter of a node',
                    line=fields.line_of("sets"),
                    at=f"parameters.{name}.sets",
                    remedy='Write it as "node.parameter".',
                )
            targets.append((NodeId(node), parameter))
        yield (
            name,
            PipelineParameter(fields.value("default"), tuple(targets), fields.text("description")),
        )


def _layout(top: _Fields) -> Layout:
    fields = top.inner("layout", _LAYOUT)
    if fields is None:
        return Layout()
    fields.refuse_others()
    positions: dict[NodeId, tuple[float, float]] = {}
    for node, xy in fields.mapping("positions").items():
        if not (
            isinstance(xy, list) and len(xy) == 2 and all(isinstance(v, int | float) for v in xy)
        ):
            raise PipelineFileError(
                "a position is two numbers",
                line=fields.line_of("positions"),
                at=f"layout.positions.{node}",
                remedy="Write it as [x, y].",
            )
        positions[NodeId(str(node))] = (float(xy[0]), float(xy[1]))
    return Layout(
        positions,
        tuple(n for n in fields.items("notes") if isinstance(n, dict)),
        tuple(g for g in fields.items("groups") if isinstance(g, dict)),
    )


class _Fields:
    """A mapping of the file with the line of each field, so that a fault can be shown."""

    def __init__(self, node: yaml.Node, path: str, known: tuple[str, ...]) -> None:
        self.path, self.known, self.line = path, known, node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            raise PipelineFileError("fields with values are expected here", line=self.line, at=path)
        self._nodes: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in self._nodes:
                raise PipelineFileError(
                    f'"{name}" stands twice', line=line, at=self._at(name), remedy="Remove one."
                )
            self._nodes[name], self._lines[name] = value, line

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def line_of(self, name: str) -> int:
        return self._lines.get(name, self.line)

    def refuse_others(self) -> None:
        for name, line in self._lines.items():
            if name not in self.known:
                raise PipelineFileError(
                    f'"{name}" is no field here',
                    line=line,
                    at=self._at(name),
                    remedy=f"{suggestion(name, self.known)}Fields are: {', '.join(self.known)}.",
                )

    def value(self, name: str) -> Any:
        node = self._nodes.get(name)
        return None if node is None else _construct(node)

    def text(self, name: str, *, required: bool = False) -> str:
        value = self.value(name)
        if value is None and required:
            raise PipelineFileError(
                f'"{name}" is missing', line=self.line, at=self.path, remedy=f'Add "{name}".'
            )
        if value is not None and not isinstance(value, str):
            raise PipelineFileError(
                f"a text is expected, not {value!r}",
                line=self.line_of(name),
                at=self._at(name),
                remedy="Put it in quotation marks.",
            )
        return value or ""

    def integer(self, name: str, default: int) -> int:
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise PipelineFileError(
                f"a whole number from 1 is expected, not {value!r}",
                line=self.line_of(name),
                at=self._at(name),
            )
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        value = self.value(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise PipelineFileError(
                "names with values are expected here",
                line=self.line_of(name),
                at=self._at(name),
            )
        return {str(k): v for k, v in value.items()}

    def amounts(self, name: str, known: tuple[str, ...]) -> dict[str, float]:
        """Amounts of 0 and more by name, each of a known one."""
        found = self.mapping(name)
        for key, value in found.items():
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            if key not in known or not fits or not 0 <= value < float("inf"):
                raise PipelineFileError(
                    f"{key}: {value!r} is no amount of anything known here",
                    line=self.line_of(name),
                    at=self._at(name),
                    remedy=f"Give a number from 0 to any of: {', '.join(known)}.",
                )
        return found

    def items(self, name: str) -> list[Any]:
        value = self.value(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise PipelineFileError(
                "a list is expected here", line=self.line_of(name), at=self._at(name)
            )
        return value

    def inner(self, name: str, known: tuple[str, ...]) -> _Fields | None:
        node = self._nodes.get(name)
        if node is None or _construct(node) is None:
            return None
        return _Fields(node, self._at(name), known)

    def mappings(self, name: str, known: tuple[str, ...]) -> Iterator[tuple[str, _Fields]]:
        outer = self.inner(name, ())
        if outer is not None:
            for key, node in outer._nodes.items():
                yield key, _Fields(node, outer._at(key), known)


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _compose(text: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        raise PipelineFileError(
            f"it is not YAML: {why}", line=mark.line + 1 if mark else None
        ) from None
    if root is None:
        raise PipelineFileError(
            "it is empty", line=None, remedy=f'Begin it with "modelwright: {FORMAT}".'
        )
    return root


def _construct(node: yaml.Node) -> Any:
    constructor = yaml.constructor.SafeConstructor()
    try:
        return constructor.construct_document(node)
    except yaml.YAMLError as error:
        raise PipelineFileError(
            f"a value cannot be read: {getattr(error, 'problem', None) or error}",
            line=node.start_mark.line + 1,
        ) from None


class _Flow(list[Any]):
    """A list that is written on one line."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and positions on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write anchors: equal values are written out each time."""
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # YAML takes these for line ends; only between double quotes do they stay what they are.
    odd = any(mark in text for mark in "\r\x85\u2028\u2029")
    style = '"' if odd else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(
    _Flow, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True)
)
