"""Pipelines, their layout, and what a check knows of them, as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from modelwright.api.shapes.shape import Asked, Shape
from modelwright.components import outline as outlines
from modelwright.data.errors import ModelwrightError
from modelwright.data.schema import Column as ColumnRecord
from modelwright.data.schema import ColumnType, Role, Task
from modelwright.data.schema import Schema as SchemaRecord
from modelwright.graph import graph as graphs
from modelwright.graph import problems
from modelwright.graph.check import Check
from modelwright.graph.codec import Document
from modelwright.graph.codec import Layout as LayoutRecord
from modelwright.graph.edits import NODE_ID
from modelwright.graph.graph import NodeId

NodeName = Annotated[str, Field(pattern=f"^{NODE_ID.pattern}$", max_length=200)]
PinText = Annotated[str, Field(pattern=r"^[^.]+\..+$", max_length=400)]
"""A port of a node, as "node.port"."""


ResourceName = Annotated[str, Field(pattern="^(cpus|gpus|memory)$")]


class InvalidGraph(ModelwrightError):
    """A pipeline that was sent contradicts itself."""

    code = "invalid-graph"

    def __init__(self, why: str, *, at: str) -> None:
        super().__init__(
            f"The pipeline contradicts itself: {why}.", remedy="Give each its own id.", at=at
        )


class Node(Asked):
    """A configured component on the canvas."""

    id: NodeName
    component: str
    """The component's id in the library."""
    version: Annotated[int, Field(ge=1)] = 1
    """Of the component, when it was configured."""
    parameters: dict[str, Any] = {}
    """Only those set; the others have their defaults."""
    title: str = ""
    """The user's name for it; empty for the component's own."""
    comment: str = ""
    compute: Annotated[str, Field(max_length=200)] = ""
    """Where it runs; empty for where the pipeline does."""
    resources: dict[ResourceName, Annotated[float, Field(ge=0, le=2**60)]] = {}
    """What it needs there; memory in bytes.  The component's own unless named."""


class Wire(Asked):
    """Carries what an output port gives to an input port."""

    source: PinText
    target: PinText


class PipelineParameter(Asked):
    """A value that is asked for at submission."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    default: Any = None
    sets: list[PinText] = []
    """The parameters it sets, each as "node.parameter"."""
    description: str = ""


class Graph(Asked):
    """A pipeline: nodes in the order in which they were added, and the wires between them."""

    name: Annotated[str, Field(max_length=200)] = ""
    description: str = ""
    nodes: list[Node] = []
    wires: list[Wire] = []
    parameters: list[PipelineParameter] = []
    compute: Annotated[str, Field(max_length=200)] = ""
    """What it runs on unless another is chosen at submission; empty for this machine."""

    def read(self) -> graphs.Graph:
        """The pipeline.  Raises InvalidGraph when an id stands twice."""
        nodes: dict[NodeId, graphs.Node] = {}
        for node in self.nodes:
            if node.id in nodes:
                raise InvalidGraph(f'two nodes have the id "{node.id}"', at=node.id)
            nodes[NodeId(node.id)] = graphs.Node(
                node.component,
                node.version,
                node.parameters,
                node.title,
                node.comment,
                node.compute,
                dict(node.resources),
            )
        parameters: dict[str, graphs.PipelineParameter] = {}
        for parameter in self.parameters:
            if parameter.name in parameters:
                raise InvalidGraph(
                    f'two pipeline parameters have the name "{parameter.name}"', at=parameter.name
                )
            targets = [graphs.Pin.parse(text) for text in parameter.sets]
            parameters[parameter.name] = graphs.PipelineParameter(
                parameter.default, tuple((t.node, t.port) for t in targets), parameter.description
            )
        return graphs.Graph(
            self.name,
            self.description,
            nodes,
            frozenset(
                graphs.Wire(graphs.Pin.parse(w.source), graphs.Pin.parse(w.target))
                for w in self.wires
            ),
            parameters,
            self.compute,
        )

    @classmethod
    def of(cls, graph: graphs.Graph) -> Graph:
        """The body of a pipeline; wires are sorted."""
        return cls.model_construct(
            name=graph.name,
            description=graph.description,
            nodes=[
                Node.model_construct(
                    id=node_id,
                    component=node.component,
                    version=node.version,
                    parameters=dict(node.parameters),
                    title=node.title,
                    comment=node.comment,
                    compute=node.compute,
                    resources=dict(node.resources),
                )
                for node_id, node in graph.nodes.items()
            ],
            wires=[
                Wire.model_construct(source=str(w.source), target=str(w.target))
                for w in sorted(graph.wires)
            ],
            parameters=[
                PipelineParameter.model_construct(
                    name=name,
                    default=p.default,
                    sets=[f"{node}.{parameter}" for node, parameter in p.targets],
                    description=p.description,
                )
                for name, p in graph.parameters.items()
            ],
            compute=graph.compute,
        )


class Layout(Asked):
    """Where things stand on the canvas; it changes no result."""

    positions: dict[NodeName, tuple[FiniteFloat, FiniteFloat]] = {}
    """x and y by node."""
    notes: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []

    def read(self) -> LayoutRecord:
        """The layout."""
        positions = {NodeId(node): place for node, place in self.positions.items()}
        return LayoutRecord(positions, tuple(self.notes), tuple(self.groups))

    @classmethod
    def of(cls, layout: LayoutRecord) -> Layout:
        """The body of a layout."""
        return cls.model_construct(
            positions={str(node): place for node, place in layout.positions.items()},
            notes=[dict(note) for note in layout.notes],
            groups=[dict(group) for group in layout.groups],
        )


def document_of(graph: Graph, layout: Layout) -> Document:
    """A pipeline with its layout.  Raises InvalidGraph."""
    return Document(graph.read(), layout.read())


class Score(BaseModel):
    """How a score column came about."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    task: Task
    content: str
    """"label", "probability", "assignment", "distance", "quantile" …"""
    label: str | None
    """The label column it predicts."""
    of: str | int | float | bool | None
    """The class, cluster or quantile it speaks of."""


class Column(Shape):
    """A column of a table: its name, type and marks."""

    name: str
    type: ColumnType
    role: Role
    categorical: bool
    score: Score | None

    @classmethod
    def of(cls, column: ColumnRecord) -> Column:
        """The body of a column."""
        score = column.score
        return cls.model_construct(
            name=column.name,
            type=column.type,
            role=column.role,
            categorical=column.categorical,
            score=None
            if score is None
            else Score.model_construct(
                task=score.task, content=score.content, label=score.label, of=score.of
            ),
        )


def columns_of(schema: SchemaRecord) -> list[Column]:
    """The columns of a schema, in order."""
    return [Column.of(column) for column in schema]


class TableOutline(Shape):
    """What is known of a table that is to come."""

    kind: Literal["table"] = "table"
    columns: list[Column]
    complete: bool
    """No further columns can appear."""
    rows: int | None
    """How many, where that is certain."""


class ModelOutline(Shape):
    """What is known of a trained model that is to come."""

    kind: Literal["model"] = "model"
    task: Task
    label: Column | None
    features: list[Column] | None
    scores: list[Column] | None


class LearnerOutline(Shape):
    """What is known of a learner that is to come."""

    kind: Literal["untrained-model"] = "untrained-model"
    task: Task
    title: str


class TransformOutline(Shape):
    """What is known of a fitted transformation that is to come."""

    kind: Literal["transform"] = "transform"
    reads: list[str]
    """Columns it must find."""
    gives: TableOutline | None
    """The table it was fitted on, after it."""


Outline = Annotated[
    TableOutline | ModelOutline | LearnerOutline | TransformOutline, Field(discriminator="kind")
]


def outline_body(
    known: outlines.Outline,
) -> TableOutline | ModelOutline | LearnerOutline | TransformOutline:
    """The body of an outline."""
    match known:
        case outlines.TableOutline():
            return _table(known)
        case outlines.ModelOutline():
            return ModelOutline.model_construct(
                task=known.task,
                label=Column.of(known.label) if known.label else None,
                features=None if known.features is None else columns_of(known.features),
                scores=None if known.scores is None else columns_of(known.scores),
            )
        case outlines.LearnerOutline():
            return LearnerOutline.model_construct(task=known.task, title=known.title)
        case outlines.TransformOutline():
            return TransformOutline.model_construct(
                reads=list(known.reads), gives=_table(known.gives) if known.gives else None
            )


def _table(known: outlines.TableOutline) -> TableOutline:
    return TableOutline.model_construct(
        columns=columns_of(known.schema), complete=known.complete, rows=known.rows
    )


class Fix(Shape):
    """A change that mends a problem."""

    title: str
    """For its button."""
    edits: list[dict[str, Any]]
    """Each with "edit", the name of an edit of the graph, and that edit's arguments."""


class Problem(Shape):
    """What is wrong with a draft, where, and what to do."""

    code: str
    severity: Literal["error", "warning"]
    """An error keeps the draft from running."""
    message: str
    happened: str
    remedy: str
    node: str | None
    port: str | None
    parameter: str | None
    column: str | None
    fields: dict[str, Any]
    fix: Fix | None

    @classmethod
    def of(cls, problem: problems.Problem) -> Problem:
        """The body of a problem."""
        return cls.model_validate(problem.to_json())


class Checked(Shape):
    """Everything that is known of a draft before any run.

    Many ports carry the same columns, so each outline is given once.
    """

    problems: list[Problem]
    """Errors first, in the order of the nodes."""
    outlines: list[Outline]
    outputs: dict[str, int | None]
    """By output, as "node.port": the place in `outlines`; null where nothing is known."""
    inputs: dict[str, int | None]
    """The same for what arrives at each connected input."""

    @classmethod
    def of(cls, checked: Check) -> Checked:
        """The body of a check's result."""
        places: dict[outlines.Outline, int] = {}
        return cls.model_construct(
            problems=[Problem.of(p) for p in checked.problems],
            outputs=_placed(checked.outlines, places),
            inputs=_placed(checked.inputs, places),
            outlines=[outline_body(outline) for outline in places],
        )


def _placed(
    known: Mapping[graphs.Pin, outlines.Outline | None], places: dict[outlines.Outline, int]
) -> dict[str, int | None]:
    return {
        str(pin): None if outline is None else places.setdefault(outline, len(places))
        for pin, outline in known.items()
    }
