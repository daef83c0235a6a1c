"""The tutorial: the sample pipeline as a draft, run as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.actions.drafts import draft_of_sample, find_sample, stored_text
from modelwright.actions.run_pipeline import begin_run
from modelwright.graph.codec import Document, read
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.drafts import Draft

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.actions.run_pipeline import OpenRun

SAMPLE = "automobile-price"
ENDPOINT = "automobile-price"
_DRAFT = "tutorial-draft"


def tutorial_pipeline() -> Document:
    """The sample pipeline that the tutorial is about."""
    return read(find_sample(SAMPLE).text)


def begin_tutorial(home: Home) -> OpenRun:
    """Begin a run of the sample pipeline; it is the run of its draft as long as that is unchanged."""
    document = tutorial_pipeline()
    draft = _draft(home)
    same = draft.document == stored_text(document, draft.name)
    return begin_run(
        home,
        document.graph,
        layout=document.layout,
        draft_id=draft.id if same else None,
        draft_revision=draft.revision if same else None,
    )


def _draft(home: Home) -> Draft:
    """The draft of the sample pipeline, made the first time, and again once it was deleted."""
    known = home.workspace.settings.get(_DRAFT)
    if known is not None:
        try:
            draft = home.workspace.drafts.get(known)
        except NotFound:
            pass
        else:
            if draft.deleted_at is None:
                return draft
    made = draft_of_sample(home, SAMPLE).record
    home.workspace.settings.set(_DRAFT, made.id)
    return made
