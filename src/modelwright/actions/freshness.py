"""Whether an endpoint serves what its training pipeline has learnt last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.actions.inference_updates import newer_run
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.drafts import Draft
from modelwright.workspace.records.runs import Run

if TYPE_CHECKING:
    from modelwright.actions.home import Home


@dataclass(frozen=True)
class Freshness:
    """Where the pipeline that an endpoint serves came from, and what has come since.

    training_run: whose results it serves; None when it was deployed without one.  newer: a later run
    of the same draft with other results.  draft: the inference draft, where it is still there;
    draft_is_ahead: it holds the results of another run than what is served.
    """

    deployment: int | None
    training_run: Run | None
    newer: Run | None
    draft: Draft | None
    draft_is_ahead: bool


def freshness_of(home: Home, name: str) -> Freshness:
    """How fresh the deployment is that gets most of the requests.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    deployments = home.workspace.endpoints.deployments.list(record.name)
    served = max(deployments, key=lambda d: (d.traffic, d.number), default=None)
    if served is None:
        return Freshness(None, None, None, None, draft_is_ahead=False)
    draft = _draft(home, served.lineage.draft_id)
    run = _run(home, served.lineage.training_run_id)
    newer = newer_run(home, run.id, run.draft_id) if run else None
    ahead = bool(run and draft and draft.parent_run_id and draft.parent_run_id != run.id)
    return Freshness(served.number, run, newer, draft, ahead)


def _draft(home: Home, draft_id: str | None) -> Draft | None:
    try:
        found = home.workspace.drafts.get(draft_id) if draft_id else None
    except NotFound:
        return None
    return found if found and found.deleted_at is None else None


def _run(home: Home, run_id: str | None) -> Run | None:
    try:
        return home.workspace.runs.get(run_id) if run_id else None
    except NotFound:
        return None
