"""Inference pipelines: converted from a run, and compared with it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from modelwright.actions.inference_drafts import conversion_of_draft, inference_draft
from modelwright.actions.registering import register_output
from modelwright.api.here import HereDep
from modelwright.api.shapes.inference import Conversion, ConversionAsked, InferenceDraft
from modelwright.api.shapes.models import Register, RegisteredOutput
from modelwright.graph.graph import NodeId, Pin

router = APIRouter(tags=["inference"])


@router.post("/runs/{run_id}/inference", status_code=HTTPStatus.CREATED)
def convert_run(run_id: str, asked: ConversionAsked, here: HereDep) -> InferenceDraft:
    """Make a draft of the inference pipeline of a run, with the reason for every change."""
    made = inference_draft(
        here.home,
        run_id,
        name=asked.name,
        kind=asked.kind,
        requests=tuple(NodeId(n) for n in asked.requests),
        replies=tuple(NodeId(n) for n in asked.replies),
    )
    return InferenceDraft.of(made)


@router.get("/drafts/{draft_id}/conversion")
def get_conversion(draft_id: str, here: HereDep) -> Conversion:
    """The conversion that an inference draft came out of; its graph is what the draft began as."""
    return Conversion.of(conversion_of_draft(here.home, draft_id))


@router.post("/runs/{run_id}/steps/{node}/outputs/{port}/register", name="register_output")
def register(run_id: str, node: str, port: str, asked: Register, here: HereDep) -> RegisteredOutput:
    """Register what a run left on a port: a table as a dataset, a fitted value as a model."""
    made = register_output(
        here.home,
        run_id,
        Pin(NodeId(node), port),
        name=asked.name,
        description=asked.description,
        tags=asked.tags,
    )
    return RegisteredOutput.of(made)
