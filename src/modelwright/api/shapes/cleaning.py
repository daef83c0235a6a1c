"""What takes space, and what a clean-up takes away, as bodies."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.actions.cleaning import CleanUp as CleanUpRecord
from modelwright.api.shapes.drafts import DraftSummary
from modelwright.api.shapes.runs import RunSummary
from modelwright.api.shapes.shape import Asked, Shape


class Space(Shape):
    """What one kind of thing takes."""

    kind: str
    count: int | None
    """Stored values; null for what is not counted."""
    size: int
    """Bytes."""


class DiskSpace(Shape):
    """What takes space, the largest first."""

    items: list[Space]
    free: int
    """Bytes left on the disk of the home."""


class Retention(Asked):
    """What may go; at least one of the two."""

    older_than_days: Annotated[float, Field(ge=0, le=100_000)] | None = None
    """Runs that ended, and drafts that were deleted, longer ago."""
    most_gb: Annotated[float, Field(ge=0, le=10_000_000)] | None = None
    """The oldest runs, until the store takes no more."""


class KeptRun(Shape):
    """A run that is old enough to go and stays."""

    run: str
    name: str
    needed_by: list[str]
    """Drafts and endpoints that come from it."""


class CleanUp(Shape):
    """What goes, or went."""

    runs: list[RunSummary]
    drafts: list[DraftSummary]
    values: int
    """Stored values that nothing names any more."""
    size: int
    """Their bytes."""
    kept: list[KeptRun]

    @classmethod
    def of(cls, found: CleanUpRecord) -> CleanUp:
        """The body of a clean-up."""
        return cls.model_construct(
            runs=[RunSummary.of(run) for run in found.runs],
            drafts=[DraftSummary.of(draft) for draft in found.drafts],
            values=found.values,
            size=found.size,
            kept=[KeptRun.of(kept) for kept in found.kept],
        )
