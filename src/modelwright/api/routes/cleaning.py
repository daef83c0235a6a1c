"""Clean up: what takes space, what may go, and its going."""

from __future__ import annotations

import shutil

from fastapi import APIRouter

from modelwright.actions import cleaning
from modelwright.api.here import HereDep
from modelwright.api.shapes.cleaning import CleanUp, DiskSpace, Retention, Space

router = APIRouter(prefix="/clean-up", tags=["clean up"])


@router.get("/space")
def get_space(here: HereDep) -> DiskSpace:
    """What takes how many bytes: stored values by kind, logs, packages, database."""
    return DiskSpace(
        items=[Space.of(space) for space in cleaning.disk_space(here.home)],
        free=shutil.disk_usage(here.home.folder).free,
    )


@router.post("/plan")
def plan_clean_up(asked: Retention, here: HereDep) -> CleanUp:
    """What a clean-up would take away, and which old runs stay since something needs them."""
    found = cleaning.plan_clean_up(
        here.home, older_than_days=asked.older_than_days, most_gb=asked.most_gb
    )
    return CleanUp.of(found)


@router.post("")
def clean_up(asked: Retention, here: HereDep) -> CleanUp:
    """Take away old runs, deleted drafts, and stored values that nothing names any more."""
    found = cleaning.clean_up(
        here.home, older_than_days=asked.older_than_days, most_gb=asked.most_gb
    )
    return CleanUp.of(found)
