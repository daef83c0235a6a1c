"""Drafts: list, open, save, go back, copy, delete, and as files."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query

from modelwright.actions import drafts
from modelwright.api.here import HereDep
from modelwright.api.shapes.drafts import (
    Draft,
    DraftChange,
    DraftName,
    DraftSummary,
    NewDraft,
    PipelineFile,
    Restore,
    Revision,
    RevisionSummary,
    UndoHistory,
)
from modelwright.api.shapes.graph import document_of
from modelwright.api.shapes.shape import Done, Listed, PageOf
from modelwright.workspace.errors import Conflict
from modelwright.workspace.records.drafts import DraftKind

router = APIRouter(prefix="/drafts", tags=["drafts"])

Limit = Annotated[int, Query(ge=1, le=500)]
RevisionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("")
def list_drafts(
    here: HereDep,
    search: str = "",
    kind: DraftKind | None = None,
    parent_draft_id: str | None = None,
    deleted: bool = False,
    limit: Limit = 50,
    after: str | None = None,
) -> PageOf[DraftSummary]:
    """Drafts by last change, latest first.

    search: words of the name.  deleted: the deleted ones instead of the others.
    """
    page = here.workspace.drafts.list(
        search=search,
        kind=kind,
        parent_draft_id=parent_draft_id,
        deleted=deleted,
        limit=limit,
        after=after,
    )
    return PageOf[DraftSummary].of(page)


@router.post("", status_code=HTTPStatus.CREATED)
def create_draft(new: NewDraft, here: HereDep) -> Draft:
    """Begin a draft: empty, or with a graph, a pipeline file, a sample, or the pipeline of a run."""
    if new.sample is not None:
        made = drafts.draft_of_sample(here.home, new.sample, name=new.name)
    elif new.run is not None:
        made = drafts.draft_of_run(here.home, new.run, name=new.name)
    elif new.text is not None:
        made = drafts.draft_of_text(here.home, new.text, name=new.name, kind=new.kind)
    else:
        document = document_of(new.graph, new.layout) if new.graph else None
        made = drafts.new_draft(here.home, name=new.name, document=document, kind=new.kind)
    return Draft.of(made)


@router.get("/{draft_id}")
def get_draft(draft_id: str, here: HereDep) -> Draft:
    """One draft with its pipeline."""
    return Draft.of(drafts.get_draft(here.home, draft_id))


@router.put("/{draft_id}")
def save_draft(draft_id: str, change: DraftChange, here: HereDep) -> Draft:
    """Save a change; a draft that has moved on answers 409 with what is current in the fields."""
    document = document_of(change.graph, change.layout)
    try:
        saved = drafts.save_draft(
            here.home, draft_id, document, revision=change.revision, history=change.history
        )
    except Conflict as conflict:
        current = Draft.of(drafts.get_draft(here.home, draft_id))
        conflict.fields["current"] = current.model_dump(mode="json")
        raise
    return Draft.of(saved)


@router.patch("/{draft_id}")
def rename_draft(draft_id: str, change: DraftName, here: HereDep) -> Draft:
    """Give a draft another name; its revision stays."""
    renamed = here.workspace.drafts.rename(draft_id, change.name)
    return Draft.of(drafts.open_draft(renamed))


@router.delete("/{draft_id}")
def delete_draft(draft_id: str, here: HereDep, forever: bool = False) -> Done:
    """Put a draft aside; `forever` forgets it with all its revisions."""
    if forever:
        here.workspace.drafts.purge(draft_id)
    else:
        here.workspace.drafts.delete(draft_id)
    return Done()


@router.post("/{draft_id}/restore")
def restore_draft(draft_id: str, here: HereDep) -> Draft:
    """Bring back a deleted draft."""
    return Draft.of(drafts.open_draft(here.workspace.drafts.restore(draft_id)))


@router.post("/{draft_id}/duplicate", status_code=HTTPStatus.CREATED)
def duplicate_draft(draft_id: str, here: HereDep, name: DraftName | None = None) -> Draft:
    """Copy a draft, by default as "NAME (copy)"."""
    copy = here.workspace.drafts.duplicate(draft_id, name=name.name if name else None)
    return Draft.of(drafts.open_draft(copy))


@router.get("/{draft_id}/revisions")
def list_revisions(draft_id: str, here: HereDep, limit: Limit = 200) -> Listed[RevisionSummary]:
    """The states of a draft that are kept, newest first."""
    here.workspace.drafts.get(draft_id)
    kept = here.workspace.drafts.revisions.list(draft_id, limit=limit)
    return Listed[RevisionSummary](items=[RevisionSummary.of(r) for r in kept])


@router.get("/{draft_id}/revisions/{revision}")
def get_revision(draft_id: str, revision: RevisionNumber, here: HereDep) -> Revision:
    """A draft as it once was."""
    record = here.workspace.drafts.get(draft_id)
    return Revision.of_draft(here.workspace.drafts.revisions.get(draft_id, revision), record.name)


@router.post("/{draft_id}/revisions/restore")
def restore_revision(draft_id: str, restore: Restore, here: HereDep) -> Draft:
    """Make an earlier state the newest; the ones between are kept."""
    back = drafts.restore_revision(here.home, draft_id, restore.revision, current=restore.current)
    return Draft.of(back)


@router.get("/{draft_id}/history")
def get_undo_history(draft_id: str, here: HereDep) -> UndoHistory:
    """The undo history as it was last saved."""
    return UndoHistory(history=here.workspace.drafts.history(draft_id))


@router.get("/{draft_id}/file")
def export_draft(draft_id: str, here: HereDep) -> PipelineFile:
    """The draft as a pipeline file, which POST /api/drafts and the command line read."""
    name = here.workspace.drafts.get(draft_id).name
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "pipeline"
    return PipelineFile(name=f"{stem}.yaml", text=drafts.export_draft(here.home, draft_id))
