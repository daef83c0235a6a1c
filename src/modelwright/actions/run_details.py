"""A run as a page shows it: with its pipeline placed as it was drawn, and its nodes by title."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.actions.arrangement import arrange
from modelwright.actions.drafts import layout_of
from modelwright.actions.runs import RunReport, show_run
from modelwright.components.library import Library
from modelwright.graph.check import DATASET
from modelwright.graph.codec import Layout, read
from modelwright.graph.graph import Graph
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.runs import Run

if TYPE_CHECKING:
    from modelwright.actions.home import Home


@dataclass(frozen=True)
class RunDetails:
    """A run, its pipeline, and what is needed to show both.

    titles: by node.  kinds: of artifact, by component and output port, of installed components.
    """

    report: RunReport
    graph: Graph
    layout: Layout
    titles: Mapping[str, str]
    kinds: Mapping[str, dict[str, str]]


def run_details(home: Home, run_id: str) -> RunDetails:
    """A run with all that its page shows.  Raises NotFound."""
    report = show_run(home, run_id)
    graph = read(report.run.graph).graph
    titles = {step.node: title_in(graph, step.node, home.library) for step in report.steps}
    kinds = {step.component: output_kinds(home.library, step.component) for step in report.steps}
    return RunDetails(report, graph, layout_of_run(home, report.run, graph), titles, kinds)


def layout_of_run(home: Home, run: Run, graph: Graph) -> Layout:
    """Where the nodes stood in the draft or the file that was run; the others beside their neighbours."""
    layout = read(run.graph).layout
    if run.draft_id is not None:
        drafts = home.workspace.drafts
        try:
            stored = drafts.revisions.get(run.draft_id, run.draft_revision or 0).layout
        except NotFound:
            try:
                stored = drafts.get(run.draft_id).layout
            except NotFound:
                stored = None
        layout = layout_of(stored)
    return Layout(arrange(graph, layout.positions), layout.notes, layout.groups)


def title_in(graph: Graph, node_id: str, library: Library) -> str:
    """A node's title: its own, its data set's or its component's, or its id where that is not installed."""
    for known, node in graph.nodes.items():
        if known == node_id:
            if node.title:
                return node.title
            if node.component == DATASET and node.parameters.get("name"):
                return str(node.parameters["name"])
            return library.spec(node.component).title if node.component in library else node_id
    return node_id


def output_kinds(library: Library, component: str) -> dict[str, str]:
    """The kinds of artifact that a component's outputs carry; none of one that is not installed."""
    if component not in library:
        return {}
    return {port.name: port.type.kind for port in library.spec(component).outputs}
