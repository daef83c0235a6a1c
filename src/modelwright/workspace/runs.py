"""Runs: what was run, how far it came, and what it left."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import WrongState
from modelwright.workspace.events import Events
from modelwright.workspace.metrics import Metrics
from modelwright.workspace.names import checked_name, search_key
from modelwright.workspace.paging import holding, read_page
from modelwright.workspace.records.assets import AssetReference
from modelwright.workspace.records.pages import Page
from modelwright.workspace.records.runs import Experiment, NewStep, Run, RunId, RunStatus
from modelwright.workspace.rows import AnyRow, no_such_run
from modelwright.workspace.steps import Steps
from modelwright.workspace.uses import forget_uses, set_uses

_R = tables.runs.c
_COLUMNS = tuple(c for c in tables.runs.columns if c.name not in ("search_key", "last_event"))


class Runs:
    """The runs of a workspace; `steps`, `metrics` and `events` hold what happened within them."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now
        self.steps = Steps(database, now)
        self.metrics = Metrics(database)
        self.events = Events(database, now)

    def create(
        self,
        experiment: str,
        *,
        graph: str,
        name: str | None = None,
        draft_id: str | None = None,
        draft_revision: int | None = None,
        parameters: Mapping[str, Any] | None = None,
        target: str = "local",
        person: str | None = None,
        tags: Mapping[str, str] | None = None,
        steps: Sequence[NewStep] = (),
        assets: Sequence[AssetReference] = (),
    ) -> Run:
        """Add a queued run with the steps of its plan, all or nothing.

        graph: the pipeline as YAML text.  name: the run's id unless given.
        assets: the datasets and models that the graph names.
        """
        now = self._now()
        experiment = checked_name(experiment, "experiment")
        values = {
            "experiment": experiment,
            "draft_id": draft_id,
            "draft_revision": draft_revision,
            "graph": graph,
            "parameters": dict(parameters or {}),
            "target": target,
            "status": RunStatus.QUEUED,
            "person": person,
            "tags": dict(tags or {}),
            "last_event": 0,
            "created_at": now,
        }
        with self._database.write() as connection:
            run_id = _insert(connection, values, name, now)
            self.steps.add(run_id, steps)
            set_uses(connection, "run", run_id, assets)
            return _run(_get(connection, run_id))

    def get(self, run_id: str) -> Run:
        """One run.  Raises NotFound."""
        with self._database.read() as connection:
            return _run(_get(connection, run_id))

    def list(
        self,
        *,
        experiment: str | None = None,
        statuses: Sequence[RunStatus] = (),
        draft_id: str | None = None,
        search: str = "",
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Run]:
        """Runs by creation, latest first.

        statuses: any of these; none means all.  search: words of the name, the experiment or the
        id, without regard to case and accents.
        """
        query = select(*_COLUMNS).where(holding(_R.search_key, search_key(search)))
        if experiment is not None:
            query = query.where(_R.experiment == experiment)
        if statuses:
            query = query.where(_R.status.in_(statuses))
        if draft_id is not None:
            query = query.where(_R.draft_id == draft_id)
        with self._database.read() as connection:
            return read_page(
                connection, query, _run, order=_R.created_at, id=_R.id, limit=limit, after=after
            )

    def experiments(self) -> tuple[Experiment, ...]:
        """The experiments that hold runs, the one used last first."""
        last = func.max(_R.created_at)
        query = select(_R.experiment, func.count().label("runs"), last.label("last"))
        with self._database.read() as connection:
            rows = connection.execute(
                query.group_by(_R.experiment).order_by(last.desc(), _R.experiment)
            ).all()
        return tuple(Experiment(row.experiment, row.runs, row.last) for row in rows)

    def start(self, run_id: str, *, runner: Mapping[str, Any] | None = None) -> Run:
        """Say that a queued run is being worked on, and by which process.

        Raises WrongState when it is not queued, so that of two processes only one takes it.
        """
        return self._move(
            run_id,
            (RunStatus.QUEUED,),
            "be started",
            {"status": RunStatus.RUNNING, "started_at": self._now(), "runner": runner},
        )

    def finish(
        self, run_id: str, status: RunStatus, *, error: Mapping[str, Any] | None = None
    ) -> Run:
        """Say how a run ended.  error: code, message and fields, as JSON.

        Raises WrongState when it has ended before.
        """
        if not status.finished:
            raise ValueError(f"{status} is no way to end")
        return self._move(
            run_id,
            (RunStatus.QUEUED, RunStatus.RUNNING),
            f"become {status}",
            {"status": status, "finished_at": self._now(), "error": error},
        )

    def ask_to_cancel(self, run_id: str) -> Run:
        """Ask the run's process, wherever it is, to end it; a queued run ends at once."""
        now = self._now()
        with self._database.write() as connection:
            found = _get(connection, run_id, lock=True)
            if found.status == RunStatus.QUEUED:
                return self.finish(run_id, RunStatus.CANCELLED)
            if found.status == RunStatus.RUNNING and found.cancel_asked_at is None:
                connection.execute(
                    update(tables.runs).where(_R.id == run_id).values(cancel_asked_at=now)
                )
            return _run(_get(connection, run_id))

    def delete(self, run_id: str) -> None:
        """Forget a run with its steps, metrics and events; artifacts and assets stay.

        Raises WrongState while it is queued or running.
        """
        with self._database.write() as connection:
            found = _get(connection, run_id, lock=True)
            if not found.status.finished:
                raise WrongState(
                    "run", run_id, found.status, "be deleted", remedy="Cancel it first."
                )
            forget_uses(connection, "run", run_id)
            connection.execute(delete(tables.runs).where(_R.id == run_id))

    def _move(
        self,
        run_id: str,
        states: Sequence[RunStatus],
        wanted: str,
        values: Mapping[str, Any],
    ) -> Run:
        with self._database.write() as connection:
            found = _get(connection, run_id, lock=True)
            if found.status not in states:
                raise WrongState(
                    "run", run_id, found.status, wanted, remedy="Hand in the pipeline as a new run."
                )
            connection.execute(update(tables.runs).where(_R.id == run_id).values(**values))
            return _run(_get(connection, run_id))


def _insert(
    connection: Connection, values: dict[str, Any], name: str | None, now: datetime
) -> RunId:
    moment = now.astimezone(UTC).strftime("%Y%m%d-%H%M%S")
    while True:
        run_id = RunId(f"run-{moment}-{secrets.token_hex(2)}")
        title = checked_name(name, "run") if name else run_id
        found = search_key(f"{title} {values['experiment']} {run_id}")
        try:
            with connection.begin_nested():
                connection.execute(
                    insert(tables.runs), values | {"id": run_id, "name": title, "search_key": found}
                )
        except IntegrityError:
            # Two runs of one second drew the same four digits.
            if connection.scalar(select(_R.id).where(_R.id == run_id)) is None:
                raise
        else:
            return run_id


def _get(connection: Connection, run_id: str, *, lock: bool = False) -> AnyRow:
    query = select(*_COLUMNS).where(_R.id == run_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise no_such_run(connection, run_id)
    return row


def _run(row: AnyRow) -> Run:
    return Run(**row._mapping)
