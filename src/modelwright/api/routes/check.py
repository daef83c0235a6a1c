"""What is known of a pipeline before it runs: its problems, its columns, and what a run would do."""

from __future__ import annotations

from fastapi import APIRouter

from modelwright.actions.drafts import readable_graph
from modelwright.actions.pipelines import check_pipeline, plan_pipeline
from modelwright.api.here import Here, HereDep
from modelwright.api.shapes.graph import Checked
from modelwright.api.shapes.plan import CheckAsked, PipelineChoice, Plan, PlanAsked
from modelwright.graph.graph import Graph

router = APIRouter(tags=["check"])


@router.post("/check")
def check(asked: CheckAsked, here: HereDep) -> Checked:
    """Every problem of a pipeline, and the columns on its wires; nothing is stored."""
    return Checked.of(check_pipeline(here.home, asked.graph.read()))


@router.post("/plan")
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


def chosen_graph(asked: PipelineChoice, here: Here) -> Graph:
    """The pipeline that is meant.  Raises InvalidGraph, NotFound, and what reading a draft raises."""
    if asked.graph is not None:
        return asked.graph.read()
    return readable_graph(here.home, asked.draft_id or "")
