"""Pipelines: read them from files, check them, and say what a run would do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.actions.files import read_bytes, write_bytes
from modelwright.graph.check import DATASET, Check, check
from modelwright.graph.codec import Document, PipelineFileError, read, write
from modelwright.graph.graph import Graph, NodeId

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.run.plan import Plan


def read_pipeline(path: Path) -> Document:
    """The pipeline in a file; one without a name of its own is named after the file.

    Raises FileMissing, PipelineFileError and NewerFileFormat.
    """
    content = read_bytes(path)
    try:
        document = read(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PipelineFileError(
            "it is not UTF-8 text", line=line, remedy="Save the file as UTF-8."
        ) from None
    if document.graph.name:
        return document
    return replace(document, graph=replace(document.graph, name=path.stem))


def write_pipeline(document: Document, path: Path) -> None:
    """Write a pipeline file at once or not at all.  Raises CannotWriteFile."""
    write_bytes(path, write(document).encode())


def check_pipeline(home: Home, graph: Graph) -> Check:
    """Every problem of a pipeline, and the columns on its wires."""
    return check(graph, library=home.library, assets=home.assets)


@dataclass(frozen=True, slots=True)
class AskedParameter:
    """A pipeline parameter as a form or a list shows it.

    type: that of the first node's parameter it sets, such as "float"; "dataset" for the name of a
    data set; None when it sets nothing that is known.  sets: each as "node.parameter".
    """

    name: str
    type: str | None
    default: Any
    sets: tuple[str, ...]
    description: str


def parameters_of(graph: Graph) -> tuple[AskedParameter, ...]:
    """The pipeline parameters, in the order of the file."""
    from modelwright.components.library import library

    def type_of(node_id: NodeId, parameter: str) -> str | None:
        node = graph.nodes.get(node_id)
        if node is None or node.component not in library():
            return None
        if node.component == DATASET and parameter == "name":
            return "dataset"
        known = {p.name: p.type for p in library().spec(node.component).parameters}
        return known.get(parameter)

    return tuple(
        AskedParameter(
            name,
            next((found for t in p.targets if (found := type_of(*t))), None),
            p.default,
            tuple(f"{node}.{parameter}" for node, parameter in p.targets),
            p.description,
        )
        for name, p in graph.parameters.items()
    )


def plan_pipeline(
    home: Home,
    graph: Graph,
    *,
    settings: Mapping[str, Any] | None = None,
    until: str | None = None,
    rerun: bool = False,
    regenerate: Collection[str] = (),
) -> Plan:
    """What a run would do, and why, step by step.

    settings: values by pipeline parameter or by "node.parameter".  until: only that node and what
    it needs.  rerun: reuse nothing.  regenerate: nodes that run whatever is known.
    Raises PipelineProblems, UnknownNode, UnknownPipelineParameter and WrongParameterValue.
    """
    from modelwright.run.plan import plan

    return plan(
        graph,
        library=home.library,
        store=home.store,
        assets=home.assets,
        history=home.history,
        settings=settings,
        until=until,
        rerun=rerun,
        regenerate=regenerate,
    )
