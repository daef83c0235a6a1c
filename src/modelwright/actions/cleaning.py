"""Clean up: what takes space, and what may go by age or by size; what is needed stays."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError
from modelwright.workspace.errors import InUse
from modelwright.workspace.records.assets import Use
from modelwright.workspace.records.drafts import DraftSummary
from modelwright.workspace.records.runs import Run

if TYPE_CHECKING:
    from modelwright.actions.home import Home

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PAGE = 500

IDLE_S = 3600.0
"""Seconds for which a stored value stays though nothing names it: a running step may need it."""


class NoRetention(ModelwrightError):
    """A clean-up without a rule would take nothing, or everything."""

    code = "no-retention"

    def __init__(self) -> None:
        super().__init__(
            "A clean-up needs a rule.",
            remedy="Say how many days a run is kept, or how many gigabytes the store may take.",
        )


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run that is old enough to go and stays.  needed_by: drafts and endpoints, as "draft NAME"."""

    run: str
    name: str
    needed_by: tuple[str, ...]


@dataclass(frozen=True)
class CleanUp:
    """What goes, or went.  values, size: stored values and their bytes, without logs."""

    runs: tuple[Run, ...]
    drafts: tuple[DraftSummary, ...]
    values: int
    size: int
    kept: tuple[KeptRun, ...]

    def to_json(self) -> dict[str, Any]:
        """Ids of runs and drafts that go, what is freed, and what stays and why."""
        return {
            "runs": [run.id for run in self.runs],
            "drafts": [draft.id for draft in self.drafts],
            "values": self.values,
            "size": self.size,
            "kept": [
                {"run": k.run, "name": k.name, "needed_by": list(k.needed_by)} for k in self.kept
            ],
        }


@dataclass(frozen=True, slots=True)
class Space:
    """What one kind of thing takes.  count: of stored values; None for what is not counted."""

    kind: str
    count: int | None
    size: int


def disk_space(home: Home) -> tuple[Space, ...]:
    """What takes how many bytes, the largest first: values by kind, logs, packages, database."""
    used = home.store.usage()
    found = [Space(kind, u.count, u.size) for kind, u in used.kinds.items()]
    found += [
        Space("steps", None, used.steps),
        Space("quarantine", None, used.quarantine),
        Space("temporary", None, used.temporary),
        Space("logs", None, _weight(home.folder / "logs")),
        Space("packages", None, _weight(home.folder / "packages")),
        Space("database", None, sum(_size(p) for p in home.folder.glob("modelwright.db*"))),
    ]
    return tuple(sorted((s for s in found if s.size), key=lambda s: -s.size))


def plan_clean_up(
    home: Home,
    *,
    older_than_days: float | None = None,
    most_gb: float | None = None,
    idle_s: float = IDLE_S,
) -> CleanUp:
    """What a clean-up would take away.

    older_than_days: runs that ended, and drafts that were deleted, longer ago go.  most_gb: the oldest
    runs go until the store takes no more.  Runs that drafts or endpoints come from stay, and so do
    registered data sets and models and all that drafts hold.  Raises NoRetention.
    """
    if older_than_days is None and most_gb is None:
        raise NoRetention
    now = home.workspace.now()
    needed = _needed_runs(home)
    ended = [run for run in _every_run(home) if run.status.finished]
    ended.sort(key=lambda run: run.finished_at or run.created_at)
    gone: list[Run] = []
    kept: list[KeptRun] = []
    drafts: tuple[DraftSummary, ...] = ()
    if older_than_days is not None:
        limit = now - timedelta(days=older_than_days)
        for run in ended:
            if (run.finished_at or run.created_at) >= limit:
                continue
            if run.id in needed:
                kept.append(KeptRun(run.id, run.name, _words(needed[run.id])))
            else:
                gone.append(run)
        drafts = tuple(d for d in _deleted_drafts(home) if _older(d.deleted_at, limit))
    if most_gb is not None:
        _until_small(home, ended, needed, gone, most_gb, drafts, idle_s)
    values = _unused(home, gone, drafts, idle_s)
    return CleanUp(
        tuple(gone), drafts, len(values), sum(home.store.size(d) for d in values), tuple(kept)
    )


def clean_up(
    home: Home,
    *,
    older_than_days: float | None = None,
    most_gb: float | None = None,
    idle_s: float = IDLE_S,
) -> CleanUp:
    """Take away what `plan_clean_up` tells; arguments as there.  Raises NoRetention."""
    plan = plan_clean_up(home, older_than_days=older_than_days, most_gb=most_gb, idle_s=idle_s)
    for run in plan.runs:
        delete_run(home, run.id, force=True)
    for draft in plan.drafts:
        home.workspace.drafts.purge(draft.id)
    for digest in _unused(home, [], (), idle_s):
        home.store.delete(digest)
    return plan


def delete_run(home: Home, run_id: str, *, force: bool = False) -> None:
    """Forget a run that has ended, with its logs.

    Raises NotFound, WrongState, and InUse while drafts or endpoints come from it, unless forced.
    """
    if not force and (uses := _needed_runs(home).get(run_id)):
        raise InUse("run", home.workspace.runs.get(run_id).name, uses)
    home.workspace.runs.delete(run_id)
    shutil.rmtree(home.run_logs / run_id, ignore_errors=True)


def needed_by(home: Home, run_id: str) -> tuple[str, ...]:
    """The drafts and endpoints that come from a run, as "draft NAME" and "endpoint NAME"."""
    return _words(_needed_runs(home).get(run_id, ()))


def _until_small(
    home: Home,
    ended: list[Run],
    needed: dict[str, list[Use]],
    gone: list[Run],
    most_gb: float,
    drafts: tuple[DraftSummary, ...],
    idle_s: float,
) -> None:
    """Add the oldest runs to those that go, until what stays is small enough."""
    total = sum(kind.size for kind in home.store.usage().kinds.values())
    going = {run.id for run in gone}
    left = [run for run in ended if run.id not in going and run.id not in needed]

    def too_much() -> bool:
        freed = sum(home.store.size(d) for d in _unused(home, gone, drafts, idle_s))
        return total - freed > most_gb * 1e9

    while left and too_much():
        gone.append(left.pop(0))


def _unused(
    home: Home, runs: list[Run], drafts: tuple[DraftSummary, ...], idle_s: float
) -> list[Digest]:
    """Stored values that nothing names once these runs and drafts are gone."""
    without = {run.id for run in runs}
    purged = {draft.id for draft in drafts}
    keep: set[Digest] = set()
    for run in _every_run(home):
        if run.id not in without:
            for step in home.workspace.runs.steps.list(run.id):
                keep.update(output.digest for output in step.outputs.values())
            keep.update(Digest(d) for d in _DIGEST.findall(run.graph))
    for shelf in (home.workspace.datasets, home.workspace.models):
        # A version that was deleted can be brought back, so it stays as well.
        keep.update(one.digest for one in shelf.list_deleted())
        for latest in shelf.list():
            keep.update(one.digest for one in shelf.versions(latest.name))
    for summary in _every_draft(home):
        if summary.id not in purged:
            keep.update(
                Digest(d) for d in _DIGEST.findall(home.workspace.drafts.get(summary.id).document)
            )
    return home.store.unused(keep, idle_s=idle_s)


def _words(uses: Sequence[Use]) -> tuple[str, ...]:
    return tuple(f"{use.kind} {use.title}" for use in uses)


def _needed_runs(home: Home) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for draft in _every_draft(home):
        if draft.parent_run_id and draft.deleted_at is None:
            use = Use("draft", draft.id, draft.name, None, active=True)
            found.setdefault(draft.parent_run_id, []).append(use)
    for endpoint in home.workspace.endpoints.list():
        use = Use("endpoint", endpoint.name, endpoint.name, None, active=True)
        for made in home.workspace.endpoints.deployments.list(endpoint.name):
            for run in (made.lineage.training_run_id, made.lineage.inference_run_id):
                if run and use not in found.setdefault(run, []):
                    found[run].append(use)
    return found


def _every_run(home: Home) -> Iterator[Run]:
    after: str | None = None
    while True:
        page = home.workspace.runs.list(limit=_PAGE, after=after)
        yield from page.items
        if page.after is None:
            return
        after = page.after


def _every_draft(home: Home) -> Iterator[DraftSummary]:
    for deleted in (False, True):
        yield from _drafts(home, deleted=deleted)


def _deleted_drafts(home: Home) -> Iterator[DraftSummary]:
    return _drafts(home, deleted=True)


def _drafts(home: Home, *, deleted: bool) -> Iterator[DraftSummary]:
    after: str | None = None
    while True:
        page = home.workspace.drafts.list(deleted=deleted, limit=_PAGE, after=after)
        yield from page.items
        if page.after is None:
            return
        after = page.after


def _older(moment: datetime | None, limit: datetime) -> bool:
    return moment is not None and moment < limit


def _weight(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*")) if folder.exists() else 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
