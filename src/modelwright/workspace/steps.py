"""The steps of runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.runs import NewStep, Output, Step, StepChange, StepStatus
from modelwright.workspace.rows import AnyRow, need_run

_S = tables.steps.c
_COLUMNS = tuple(c for c in tables.steps.columns if c.name not in ("run_id", "position"))


class Steps:
    """What became of every node of every run."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    def add(self, run_id: str, steps: Sequence[NewStep]) -> None:
        """Add steps behind those that are there, in the order of the plan."""
        now = self._now()
        with self._database.write() as connection:
            need_run(connection, run_id)
            known = select(func.count()).where(_S.run_id == run_id)
            first = connection.scalar(known) or 0
            rows = [
                {
                    "run_id": run_id,
                    "node": step.node,
                    "position": position,
                    "component": step.component,
                    "key": step.key,
                    "status": step.status,
                    "reason": step.reason,
                    "finished_at": now if step.status.finished else None,
                    "outputs": _outputs_json(step.outputs),
                }
                for position, step in enumerate(steps, first)
            ]
            if rows:
                connection.execute(insert(tables.steps), rows)

    def list(self, run_id: str) -> tuple[Step, ...]:
        """The steps of a run in the order of its plan; none for an unknown run."""
        query = select(*_COLUMNS).where(_S.run_id == run_id).order_by(_S.position)
        with self._database.read() as connection:
            return tuple(_step(row) for row in connection.execute(query))

    def get(self, run_id: str, node: str) -> Step:
        """One step.  Raises NotFound with the run's nodes that are near."""
        steps = self.list(run_id)
        for step in steps:
            if step.node == node:
                return step
        raise NotFound(f"step of {run_id}", node, [step.node for step in steps])

    def worked(self, keys: Collection[str]) -> dict[str, tuple[str, str]]:
        """The run and the node whose work gave the results of each key; the latest of several."""
        query = (
            select(_S.key, _S.run_id, _S.node)
            .where(_S.key.in_(keys), _S.status == StepStatus.DONE)
            .order_by(_S.finished_at)
        )
        with self._database.read() as connection:
            return {row.key: (row.run_id, row.node) for row in connection.execute(query)}

    def change(self, run_id: str, changes: Sequence[StepChange]) -> None:
        """Say what became of some steps, all or nothing.  Raises NotFound."""
        now = self._now()
        with self._database.write() as connection:
            for change in changes:
                here = (_S.run_id == run_id, _S.node == change.node)
                found = connection.execute(
                    select(_S.started_at, _S.finished_at).where(*here).with_for_update()
                ).one_or_none()
                if found is None:
                    raise NotFound(f"step of {run_id}", change.node)
                values = _values(change, found, now)
                if values:
                    connection.execute(update(tables.steps).where(*here).values(values))

    def end_open(self, run_id: str, status: StepStatus, *, reason: str) -> int:
        """Give every step that has not ended this end; how many there were."""
        if not status.finished:
            raise ValueError(f"{status} is no way to end")
        query = (
            update(tables.steps)
            .where(_S.run_id == run_id, _S.status.in_((StepStatus.QUEUED, StepStatus.RUNNING)))
            .values(status=status, reason=reason, finished_at=self._now())
        )
        with self._database.write() as connection:
            return connection.execute(query).rowcount


def _values(change: StepChange, found: AnyRow, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: value
        for name in (
            "status",
            "key",
            "reason",
            "started_at",
            "finished_at",
            "duration_s",
            "error",
            "log",
        )
        if (value := getattr(change, name)) is not None
    }
    if change.outputs is not None:
        values["outputs"] = _outputs_json(change.outputs)
    if change.status is StepStatus.RUNNING:
        values.setdefault("started_at", now)
        # Tried again: what its former try left would be a lie.
        values |= {"finished_at": None, "duration_s": None, "error": None}
    elif change.status is not None and change.status.finished:
        values.setdefault("finished_at", now)
        started = values.get("started_at") or found.started_at
        if started is not None:
            seconds = (values["finished_at"] - started).total_seconds()
            values.setdefault("duration_s", max(seconds, 0.0))
    return values


def _outputs_json(outputs: Mapping[str, Output]) -> dict[str, Any]:
    return {port: asdict(output) for port, output in outputs.items()}


def _step(row: AnyRow) -> Step:
    values = dict(row._mapping)
    values["outputs"] = {port: Output(**output) for port, output in row.outputs.items()}
    return Step(**values)
