"""Figures that nodes measured in runs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select

from modelwright.workspace import tables
from modelwright.workspace.database import Database
from modelwright.workspace.records.runs import Metric
from modelwright.workspace.rows import need_run

_M = tables.metrics.c


class Metrics:
    """The metrics of every run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run_id: str, metrics: Sequence[Metric]) -> None:
        """Add figures to a run; NaN is kept as undefined."""
        rows = [
            {
                "run_id": run_id,
                "node": metric.node,
                "name": metric.name,
                "value": metric.value,
                "labels": dict(metric.labels),
            }
            for metric in metrics
        ]
        with self._database.write() as connection:
            need_run(connection, run_id)
            if rows:
                connection.execute(insert(tables.metrics), rows)

    def list(self, run_id: str) -> tuple[Metric, ...]:
        """The figures of a run in the order they were added; none for an unknown run."""
        query = (
            select(_M.node, _M.name, _M.value, _M.labels).where(_M.run_id == run_id).order_by(_M.id)
        )
        with self._database.read() as connection:
            return tuple(Metric(**row._mapping) for row in connection.execute(query))
