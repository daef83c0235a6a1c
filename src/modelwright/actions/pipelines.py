"""Pipelines: read them from files, check them, and say what a run would do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.actions.files import read_bytes, write_bytes
from modelwright.graph.check import Check, check
from modelwright.graph.codec import Document, PipelineFileError, read, write
from modelwright.graph.graph import Graph

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
    Raises PipelineProblems, UnknownNode and UnknownPipelineParameter.
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
