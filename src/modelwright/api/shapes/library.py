"""What a node can do, and what ships to try it with, as bodies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from modelwright.api.shapes.graph import Graph, Layout
from modelwright.api.shapes.shape import Asked, Shape
from modelwright.components import contract
from modelwright.graph.codec import read
from modelwright.samples import SampleDataset as SampleDatasetRecord
from modelwright.samples import SamplePipeline as SamplePipelineRecord

AtInference = Literal["keep", "bypass", "replay"]
_AT_INFERENCE: dict[type[contract.AtInference], AtInference] = {
    contract.Keep: "keep",
    contract.Bypass: "bypass",
    contract.Replay: "replay",
}


class Port(Shape):
    """A port of a component."""

    name: str
    title: str
    type: str
    """Kind of artifact it carries."""
    accepts: list[str]
    """For an input: the kinds of artifact that may be wired to it; empty for an output."""
    optional: bool
    help: str

    @classmethod
    def of(cls, port: contract.Port, accepts: list[str] | None = None) -> Port:
        """The body of a port."""
        return cls.model_construct(
            name=port.name,
            title=port.title,
            type=port.type.kind,
            accepts=accepts or [],
            optional=port.optional,
            help=port.help,
        )


class Parameter(Shape):
    """A line of a component's form; values that do not apply are null."""

    name: str
    title: str
    type: Literal[
        "int", "float", "bool", "string", "choice", "columns", "column", "code", "range", "json"
    ]
    control: str
    """The form control it asks for; its type unless it names another."""
    default: Any
    help: str
    required: bool
    optional: bool
    """null is a value that it may have."""
    minimum: float | None
    maximum: float | None
    exclusive_minimum: bool
    exclusive_maximum: bool
    choices: list[Any]
    """Allowed values, for "choice"."""
    visible_when: dict[str, list[Any]] | None
    """Other parameters and the values of them for which this one matters."""
    or_visible_when: list[dict[str, list[Any]]] | None
    """Further conditions of that kind; one that holds is enough."""
    port: str | None
    """The input whose columns are offered."""
    language: str | None
    """Of code."""


class Component(Shape):
    """All that palette, form, check and help need to know of a component."""

    id: str
    title: str
    category: str
    version: int
    summary: str
    documentation: str
    hidden: bool
    """Kept out of the palette: the nodes that bring in data and saved values."""
    deterministic: bool
    """Equal inputs and parameters give equal results, so results may be reused."""
    replaces: list[str]
    """Former ids that stand for it."""
    at_inference: AtInference
    """What becomes of it in an inference pipeline."""
    inputs: list[Port]
    """Leftmost first."""
    outputs: list[Port]
    parameters: list[Parameter]

    @classmethod
    def of(cls, spec: contract.ComponentSpec) -> Component:
        """The body of a component's description."""
        return cls(
            id=spec.id,
            title=spec.title,
            category=spec.category,
            version=spec.version,
            summary=spec.summary,
            documentation=spec.documentation,
            hidden=spec.hidden,
            deterministic=spec.deterministic,
            replaces=list(spec.replaces),
            at_inference=_AT_INFERENCE[type(spec.at_inference)],
            inputs=[Port.of(p, _accepted(p)) for p in spec.inputs],
            outputs=[Port.of(p) for p in spec.outputs],
            parameters=[Parameter.of(p) for p in spec.parameters],
        )


class NodeSettings(Asked):
    """Parameters as a version of a component has them."""

    version: Annotated[int, Field(ge=1)]
    parameters: dict[str, Any]


class SampleDataset(Shape):
    """A dataset that every home has by name."""

    name: str
    description: str
    source: str
    licence: str

    @classmethod
    def of(cls, sample: SampleDatasetRecord) -> SampleDataset:
        """The body of a sample dataset."""
        return cls.model_construct(
            name=sample.name,
            description=sample.description,
            source=sample.source,
            licence=sample.licence,
        )


class SamplePipeline(Shape):
    """A pipeline that runs as it is; graph and layout draw its thumbnail."""

    id: str
    title: str
    description: str
    graph: Graph
    layout: Layout

    @classmethod
    def of(cls, sample: SamplePipelineRecord) -> SamplePipeline:
        """The body of a sample pipeline."""
        document = read(sample.text)
        return cls.model_construct(
            id=sample.id,
            title=sample.title,
            description=sample.description,
            graph=Graph.of(document.graph),
            layout=Layout.of(document.layout),
        )


def _accepted(port: contract.Port) -> list[str]:
    """The kinds an input takes: its own, and those that are special cases of it."""
    from modelwright.data.artifact import Artifact

    return sorted(kind for kind, known in Artifact.kinds.items() if issubclass(known, port.type))
