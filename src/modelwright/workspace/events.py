"""What happened in runs, in order, to be told again to whoever missed it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.records.runs import Event, NewEvent
from modelwright.workspace.rows import no_such_run

_E = tables.events.c
_R = tables.runs.c


class Events:
    """The events of every run; they are only ever added."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    def append(self, run_id: str, events: Sequence[NewEvent]) -> int:
        """Add events behind the last one; gives the number of the last.  Raises NotFound.

        A reader never sees a number before all lower ones.
        """
        now = self._now()
        with self._database.write() as connection:
            # Counted on the run's row: its lock makes writers of one run wait for each other.
            last: int | None = connection.scalar(
                update(tables.runs)
                .where(_R.id == run_id)
                .values(last_event=_R.last_event + len(events))
                .returning(_R.last_event)
            )
            if last is None:
                raise no_such_run(connection, run_id)
            rows = [
                {"run_id": run_id, "seq": seq, "kind": e.kind, "data": dict(e.data), "at": now}
                for seq, e in enumerate(events, last - len(events) + 1)
            ]
            if rows:
                connection.execute(insert(tables.events), rows)
            return last

    def list(
        self, run_id: str, *, kind: str | None = None, since: int = 0, limit: int | None = 1000
    ) -> tuple[Event, ...]:
        """The events after number `since`, oldest first; none for an unknown run.

        kind: only of this kind.  limit: None means all.
        """
        query = (
            select(_E.seq, _E.kind, _E.data, _E.at)
            .where(_E.run_id == run_id, _E.seq > since)
            .order_by(_E.seq)
            .limit(limit)
        )
        if kind is not None:
            query = query.where(_E.kind == kind)
        with self._database.read() as connection:
            return tuple(Event(*row) for row in connection.execute(query))
