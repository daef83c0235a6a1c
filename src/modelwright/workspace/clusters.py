"""Inference clusters: places where endpoints run, and how much of them may be taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import NameTaken, NotFound
from modelwright.workspace.names import checked_cluster_name
from modelwright.workspace.records.clusters import DEFAULT_CLUSTER, Cluster
from modelwright.workspace.rows import AnyRow, put

_C = tables.clusters.c
_SHOWN = (
    "name",
    "kind",
    "cpu_cores",
    "memory_gb",
    "options",
    "description",
    "created_at",
    "changed_at",
)


class Clusters:
    """The clusters of a workspace; upper and lower case make no difference in their names."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    def create(
        self,
        name: str,
        *,
        kind: str,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        options: Mapping[str, Any] | None = None,
        description: str = "",
    ) -> Cluster:
        """Add a cluster.  Raises InvalidName and NameTaken."""
        name = checked_cluster_name(name)
        self._add_default()
        now = self._now()
        values = {
            "name": name,
            "name_key": name.lower(),
            "kind": kind,
            "cpu_cores": cpu_cores,
            "memory_gb": memory_gb,
            "options": dict(options or {}),
            "description": description,
            "created_at": now,
            "changed_at": now,
        }
        with self._database.write() as connection:
            known = select(_C.name).where(_C.name_key == name.lower())
            if connection.scalar(known) is not None:
                raise NameTaken("inference cluster", name)
            connection.execute(insert(tables.clusters), values)
        return self.get(name)

    def get(self, name: str) -> Cluster:
        """One cluster.  Raises NotFound with the names that are near."""
        found = {c.name.lower(): c for c in self.list()}
        if name.lower() not in found:
            raise NotFound("inference cluster", name, [c.name for c in found.values()])
        return found[name.lower()]

    def list(self) -> tuple[Cluster, ...]:
        """Every cluster, by name."""
        self._add_default()
        with self._database.read() as connection:
            rows = connection.execute(select(tables.clusters).order_by(_C.name_key)).all()
        return tuple(_cluster(row) for row in rows)

    def resize(self, name: str, *, cpu_cores: float | None, memory_gb: float | None) -> Cluster:
        """Say how much of it may be taken; None for all there is.  Raises NotFound."""
        values = {"cpu_cores": cpu_cores, "memory_gb": memory_gb, "changed_at": self._now()}
        found = self.get(name)
        with self._database.write() as connection:
            connection.execute(
                update(tables.clusters).where(_C.name_key == found.name.lower()).values(**values)
            )
        return self.get(name)

    def delete(self, name: str) -> None:
        """Forget a cluster.  Raises NotFound."""
        found = self.get(name)
        with self._database.write() as connection:
            connection.execute(delete(tables.clusters).where(_C.name_key == found.name.lower()))

    def _add_default(self) -> None:
        known = select(_C.name).where(_C.name_key == DEFAULT_CLUSTER)
        with self._database.read() as connection:
            if connection.scalar(known) is not None:
                return
        now = self._now()
        values: dict[str, Any] = {
            "name": DEFAULT_CLUSTER,
            "kind": "local",
            "cpu_cores": None,
            "memory_gb": None,
            "options": {},
            "description": "Processes of this machine.",
            "created_at": now,
            "changed_at": now,
        }
        with self._database.write() as connection:
            put(connection, tables.clusters, {"name_key": DEFAULT_CLUSTER}, values)


def _cluster(row: AnyRow) -> Cluster:
    return Cluster(**{name: row._mapping[name] for name in _SHOWN})
