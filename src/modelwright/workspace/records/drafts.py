"""Pipelines that are being drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

DraftId = NewType("DraftId", str)


class DraftKind(StrEnum):
    """What a draft is for."""

    TRAINING = "training"
    REAL_TIME = "real-time-inference"
    BATCH = "batch-inference"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSummary:
    """A draft as a list shows it.

    parent_draft_id: the draft this one was converted or copied from.
    parent_run_id: the run whose results it holds, or that it was cloned from.
    """

    id: DraftId
    name: str
    kind: DraftKind
    revision: int
    parent_draft_id: DraftId | None
    parent_run_id: str | None
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(DraftSummary):
    """A draft with its pipeline.

    document: the pipeline as YAML text.  layout: where its nodes are drawn, as JSON.
    """

    document: str
    layout: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A draft as it once was."""

    draft_id: DraftId
    revision: int
    document: str
    layout: Any
    saved_at: datetime
