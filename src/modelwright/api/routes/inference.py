"""Inference pipelines: converted from a run, and compared with it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from modelwright.actions.freshness import freshness_of
from modelwright.actions.inference_drafts import (
    conversion_of_draft,
    inference_draft,
    parity_of_draft,
    reset_draft,
)
from modelwright.actions.inference_updates import take_update, training_of, update_of_draft
from modelwright.actions.registering import register_output
from modelwright.actions.snippets import KEY, endpoint_snippets
from modelwright.api.here import HereDep
from modelwright.api.shapes.drafts import Draft, DraftSummary
from modelwright.api.shapes.inference import Conversion, ConversionAsked, InferenceDraft, Parity
from modelwright.api.shapes.models import Register, RegisteredOutput
from modelwright.api.shapes.runs import RunSummary
from modelwright.api.shapes.updates import (
    DraftParity,
    DraftTraining,
    Freshness,
    InferenceUpdate,
    ResetAsked,
    Snippets,
    UpdateAsked,
    UpdateTaken,
)
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


@router.get("/drafts/{draft_id}/parity")
def get_parity(draft_id: str, here: HereDep) -> DraftParity:
    """Whether an inference draft, as it is now, scores rows as its training run did."""
    found = parity_of_draft(here.home, draft_id)
    return DraftParity(parity=Parity.of(found) if found else None)


@router.post("/drafts/{draft_id}/reset", name="reset_inference_draft")
def reset(draft_id: str, asked: ResetAsked, here: HereDep) -> Draft:
    """Put an inference draft back to what the conversion made; its revisions are kept."""
    return Draft.of(reset_draft(here.home, draft_id, revision=asked.revision))


@router.get("/drafts/{draft_id}/training")
def get_training(draft_id: str, here: HereDep) -> DraftTraining:
    """The training pipeline of an inference draft, and whether it has run again since."""
    found = training_of(here.home, draft_id)
    return DraftTraining(
        draft=DraftSummary.of(found.draft) if found.draft else None,
        run=RunSummary.of(found.run) if found.run else None,
        newer=RunSummary.of(found.newer) if found.newer else None,
    )


@router.post("/drafts/{draft_id}/update/preview")
def preview_update(draft_id: str, asked: UpdateAsked, here: HereDep) -> InferenceUpdate:
    """What a later run of its training pipeline would change in an inference draft."""
    found = update_of_draft(here.home, draft_id, run_id=asked.run_id, choices=asked.choices)
    return InferenceUpdate.of(found)


@router.post("/drafts/{draft_id}/update", name="update_inference_draft")
def update(draft_id: str, asked: UpdateTaken, here: HereDep) -> Draft:
    """Update an inference draft: model and all transformations at once, hand-made edits kept."""
    taken = take_update(
        here.home,
        draft_id,
        revision=asked.revision,
        run_id=asked.run_id,
        choices=asked.choices,
    )
    return Draft.of(taken)


@router.get("/endpoints/{name}/training")
def get_freshness(name: str, here: HereDep) -> Freshness:
    """Whether an endpoint serves what its training pipeline has learnt last."""
    return Freshness.of(freshness_of(here.home, name))


@router.get("/endpoints/{name}/snippets")
def get_snippets(name: str, here: HereDep) -> Snippets:
    """Programs that call an endpoint, by language; YOUR_KEY stands where a key belongs."""
    return Snippets(snippets=endpoint_snippets(here.home, name), placeholder=KEY)


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
        without=asked.without,
    )
    return RegisteredOutput.of(made)
