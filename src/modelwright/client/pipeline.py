"""Build a pipeline in Python, run it, and read and write it as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from modelwright.components.contract import Component
from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.graph.codec import Document, Layout
from modelwright.graph.edits import UnknownNode, add_node, connect, find_node, promote_parameter
from modelwright.graph.graph import Graph, Node, NodeId, Pin

if TYPE_CHECKING:
    from modelwright.client.endpoint import Endpoint
    from modelwright.client.outcome import Conversion, RunOutcome
    from modelwright.graph.problems import Problem
    from modelwright.run.events import Event
    from modelwright.run.plan import Plan


class UnknownPort(ModelwrightError):
    """A node is asked for a port that it does not have."""

    code = "unknown-port"

    def __init__(self, node: str, port: str, known: tuple[str, ...], *, side: str) -> None:
        super().__init__(
            f'Node "{node}" has no {side} "{port}".',
            remedy=f"{suggestion(port, known)}Its {side}s are: {', '.join(known) or 'none'}.",
            node=node,
            port=port,
            ports=list(known),
        )


class AmbiguousOutput(ModelwrightError):
    """A node stands for its output, and has none or several."""

    code = "ambiguous-output"

    def __init__(self, node: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'Node "{node}" has {len(known) or "no"} outputs, so it cannot stand for one.',
            remedy=f"Name the one that is meant, as in node.{known[0] if known else 'port'}.",
            node=node,
            ports=list(known),
        )


class Output(str):
    """An output of a node, as "node.port": for wires, and for looking at what a run left there."""

    __slots__ = ()

    @property
    def node(self) -> str:
        """The node's id."""
        return self.partition(".")[0]

    @property
    def port(self) -> str:
        """The port's name."""
        return self.partition(".")[2]


@dataclass(frozen=True, eq=False)
class PipelineNode:
    """A node of a pipeline; its outputs are its attributes: `split.results_dataset1`."""

    id: str
    outputs: tuple[str, ...]

    @property
    def output(self) -> Output:
        """Its only output.  Raises AmbiguousOutput."""
        if len(self.outputs) != 1:
            raise AmbiguousOutput(self.id, self.outputs)
        return self[self.outputs[0]]

    def __getitem__(self, port: str) -> Output:
        """The output of that name.  Raises UnknownPort with the nearest."""
        if port not in self.outputs:
            raise UnknownPort(self.id, port, self.outputs, side="output")
        return Output(f"{self.id}.{port}")

    def __getattr__(self, port: str) -> Output:
        if port.startswith("_"):
            raise AttributeError(port)
        return self[port]

    def __str__(self) -> str:
        return self.id


class Pipeline:
    """A pipeline that is built by adding components and saying what feeds them.

        cars = Pipeline("Cars")
        data = cars.dataset("Automobile price data (Raw)")
        split = cars.add(SplitData(fraction=0.7), dataset=data)

    graph: what was built so far, as immutable data.
    """

    def __init__(self, name: str = "", *, description: str = "") -> None:
        self.graph = Graph(name, description)
        self._layout = Layout()

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.graph.name

    @property
    def nodes(self) -> tuple[str, ...]:
        """The ids of its nodes, in the order in which they were added."""
        return tuple(self.graph.nodes)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The pipeline in a file.  Raises FileMissing, PipelineFileError and NewerFileFormat."""
        from modelwright.actions.pipelines import read_pipeline

        return cls.of_document(read_pipeline(path))

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """The pipeline in the text of a file.  Raises PipelineFileError and NewerFileFormat."""
        from modelwright.graph.codec import read

        return cls.of_document(read(text))

    @classmethod
    def of_graph(cls, graph: Graph) -> Self:
        """A pipeline that goes on from a graph."""
        return cls.of_document(Document(graph))

    @classmethod
    def of_document(cls, document: Document) -> Self:
        """A pipeline that goes on from a graph with its layout."""
        made = cls()
        made.graph, made._layout = document.graph, document.layout
        return made

    def dataset(
        self, name: str, *, version: int | None = None, node_id: str | None = None
    ) -> PipelineNode:
        """Add a registered dataset; the latest version unless one is given."""
        parameters: dict[str, Any] = {"name": name}
        if version is not None:
            parameters["version"] = version
        return self._add(Node("dataset", parameters=parameters, title=name), node_id, {})

    def add(
        self,
        component: Component,
        *,
        node_id: str | None = None,
        title: str = "",
        comment: str = "",
        **inputs: PipelineNode | str,
    ) -> PipelineNode:
        """Add a configured component and wire its inputs.

        inputs: by port, an output such as `split.results_dataset1`, or a node that has only one.
        node_id: as it stands in the file; one made after the component unless given.
        Raises UnknownPort, AmbiguousOutput and UnknownNode; then nothing is added.
        """
        spec = component.__component__
        known = tuple(port.name for port in spec.inputs)
        wish = node_id or spec.id
        for port in inputs:
            if port not in known:
                raise UnknownPort(wish, port, known, side="input")
        parameters = component.model_dump(mode="json", exclude_unset=True)
        node = Node(spec.id, spec.version, parameters, title, comment)
        return self._add(node, node_id, inputs)

    def node(self, node_id: str) -> PipelineNode:
        """A node that is there already.  Raises UnknownNode with the nearest ids."""
        from modelwright.components.library import library

        node = find_node(self.graph, node_id)
        ports: tuple[str, ...] = ()
        if node.component in library():
            ports = tuple(port.name for port in library().spec(node.component).outputs)
        return PipelineNode(node_id, ports)

    def connect(self, source: PipelineNode | str, node: PipelineNode, port: str) -> None:
        """Wire an output to an input, in place of what fed it.  Raises UnknownNode."""
        find_node(self.graph, node.id)
        self.graph = connect(self.graph, self._source(source), Pin(NodeId(node.id), port))

    def parameter(
        self, name: str, *, node: PipelineNode, parameter: str, default: Any, description: str = ""
    ) -> None:
        """Ask for a node's parameter at submission, under a name of the pipeline."""
        self.graph = promote_parameter(
            self.graph,
            name,
            node_id=NodeId(node.id),
            parameter=parameter,
            default=default,
            description=description,
        )

    def to_yaml(self) -> str:
        """The text of a pipeline file; nodes that nobody placed are placed beside their neighbours."""
        from modelwright.graph.codec import write

        return write(self.document())

    def save(self, path: Path) -> None:
        """Write the pipeline file.  Raises CannotWriteFile."""
        from modelwright.actions.files import write_bytes

        write_bytes(path, self.to_yaml().encode())

    def document(self) -> Document:
        """The graph with its layout."""
        from modelwright.actions.arrangement import arrange

        layout = replace(self._layout, positions=arrange(self.graph, self._layout.positions))
        return Document(self.graph, layout)

    def check(self, *, home: Path | None = None) -> tuple[Problem, ...]:
        """Every problem of the pipeline; those of severity "error" keep it from running.

        home: folder of the datasets it names; the user's own unless given.
        """
        from modelwright.actions.pipelines import check_pipeline
        from modelwright.client.home import opened

        with opened(home) as here:
            return check_pipeline(here, self.graph).problems

    def plan(
        self,
        *,
        home: Path | None = None,
        parameters: Mapping[str, Any] | None = None,
        until: str | None = None,
        rerun: bool = False,
    ) -> Plan:
        """What `run` would do, and why, step by step; arguments and errors as it has them."""
        from modelwright.actions.pipelines import plan_pipeline
        from modelwright.client.home import opened

        with opened(home) as here:
            return plan_pipeline(here, self.graph, settings=parameters, until=until, rerun=rerun)

    def run(
        self,
        *,
        home: Path | None = None,
        parameters: Mapping[str, Any] | None = None,
        until: str | None = None,
        rerun: bool = False,
        experiment: str | None = None,
        target: str | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> RunOutcome:
        """Run the pipeline on this machine, without a server, and give what came of it.

        home: folder with the database and the store; the user's own unless given.
        parameters: values by pipeline parameter or by "node.parameter".  until: only that node and
        what it needs.  rerun: reuse nothing.  target: the name of a compute cluster; this machine
        unless given.  on_event: told everything as it happens.
        Raises PipelineProblems, UnknownNode, UnknownPipelineParameter and UnknownTarget.  A step that fails ends as
        failed in the outcome; `require_completed` raises it.
        """
        from modelwright.client.local import run_here

        return run_here(
            self.document(),
            home,
            parameters=parameters,
            until=until,
            rerun=rerun,
            experiment=experiment,
            target=target,
            on_event=on_event,
        )

    def convert(
        self,
        run_id: str = "latest",
        *,
        home: Path | None = None,
        kind: Literal["real-time", "batch"] = "real-time",
    ) -> Conversion:
        """The inference pipeline of this pipeline as a run has trained it, without a server.

        Its model and transformations are registered as "MD - …" and "TD - …".
        Raises NotFound, RunFailed, RunDiffers, NoTrainedModel, StepNotRun and LabelInUse.
        """
        from modelwright.client.local import convert_here

        return convert_here(self.document(), home, run_id, kind=kind)

    def deploy(
        self,
        name: str,
        *,
        home: Path | None = None,
        description: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> Endpoint:
        """Serve this inference pipeline under a name on this machine; it goes on when Python ends.

        settings: how it answers and scales.  Raises PipelineProblems, NotAnInferencePipeline,
        InvalidSetting, UnknownSetting and DeploymentFailed.
        """
        from modelwright.client.local import deploy_here

        return deploy_here(self.graph, home, name=name, description=description, settings=settings)

    def _add(
        self, node: Node, node_id: str | None, inputs: Mapping[str, PipelineNode | str]
    ) -> PipelineNode:
        sources = {port: self._source(source) for port, source in inputs.items()}
        graph, made = add_node(self.graph, node, node_id=node_id)
        for port, source in sources.items():
            graph = connect(graph, source, Pin(made, port))
        self.graph = graph
        return self.node(made)

    def _source(self, source: PipelineNode | str) -> Pin:
        given = source.output if isinstance(source, PipelineNode) else source
        node, dot, port = given.partition(".")
        if NodeId(node) not in self.graph.nodes or not dot:
            raise UnknownNode(node, self.graph.nodes)
        known = self.node(node)
        if known.outputs:
            return Pin.parse(known[port])
        return Pin(NodeId(node), port)

    def __repr__(self) -> str:
        return f"Pipeline({self.name!r}, {len(self.graph.nodes)} nodes)"
