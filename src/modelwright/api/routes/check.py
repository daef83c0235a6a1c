"""What is known of a pipeline before it runs: its problems, its columns, and what a run would do."""

from __future__ import annotations

from fastapi import APIRouter

from modelwright.actions.drafts import readable_graph
from modelwright.actions.pipelines import check_pipeline, plan_pipeline
from modelwright.api.here import Here, HereDep
from modelwright.api.shapes.drafts import PipelineText, PlacedGraph
from modelwright.api.shapes.graph import Checked, Graph, Layout, document_of
from modelwright.api.shapes.plan import CheckAsked, PipelineChoice, Plan, PlanAsked
from modelwright.graph import graph as graphs
from modelwright.graph.codec import read, write

router = APIRouter(tags=["check"])


@router.post("/check", name="check_pipeline")
def check(asked: CheckAsked, here: HereDep) -> Checked:
    """Every problem of a pipeline, and the columns on its wires; nothing is stored."""
    return Checked.of(check_pipeline(here.home, asked.graph.read()))


@router.post("/plan", name="plan_pipeline")
def plan(asked: PlanAsked, here: HereDep) -> Plan:
    """What a run would do and why, step by step; a pipeline with problems answers 422 with them."""
    found = plan_pipeline(
        here.home,
        chosen_graph(asked, here),
        settings=asked.parameters,
        until=asked.until,
        rerun=asked.rerun,
        regenerate=asked.regenerate,
    )
    return Plan.of(found)


@router.post("/pipeline-files/write")
def write_pipeline_file(placed: PlacedGraph) -> PipelineText:
    """A pipeline, or a part of one that is copied, as the text of a pipeline file."""
    return PipelineText(text=write(document_of(placed.graph, placed.layout)))


@router.post("/pipeline-files/read")
def read_pipeline_file(given: PipelineText) -> PlacedGraph:
    """The pipeline in the text of a pipeline file; nothing is stored."""
    document = read(given.text)
    return PlacedGraph(graph=Graph.of(document.graph), layout=Layout.of(document.layout))


def chosen_graph(asked: PipelineChoice, here: Here) -> graphs.Graph:
    """The pipeline that is meant.  Raises InvalidGraph, NotFound, and what reading a draft raises."""
    if asked.graph is not None:
        return asked.graph.read()
    return readable_graph(here.home, asked.draft_id or "")
