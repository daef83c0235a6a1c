"""Registered things with versions, as datasets and models share them.

A name and a version name the same content for ever: versions count on even after a deletion, and a
deletion only hides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Connection, Select, func, insert, select, update

from modelwright.data.artifact import Digest
from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import InUse, NameTaken, NotFound
from modelwright.workspace.names import checked_name, search_key
from modelwright.workspace.paging import holding
from modelwright.workspace.records.assets import AssetKind, Lineage, Use
from modelwright.workspace.rows import AnyRow, put
from modelwright.workspace.uses import uses_of

R = TypeVar("R")

_A = tables.assets.c
_V = tables.asset_versions.c
_HIDDEN = ("id", "asset_id", "search_key", "run_id", "node", "port", "draft_id", "details", "kind")
PLAIN_COLUMNS = tuple(c.name for c in tables.asset_versions.columns if c.name not in _HIDDEN)


class Assets(ABC, Generic[R]):
    """One shelf of registered things; `R` is the record it hands out."""

    shelf: ClassVar[str]
    noun: ClassVar[str]
    kinds: ClassVar[tuple[AssetKind, ...]]

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    @abstractmethod
    def _record(self, row: AnyRow) -> R:
        """Make the record of a row of `_query`."""

    def get(self, name: str, *, version: int | None = None, deleted: bool = False) -> R:
        """One version, the latest unless given.  Raises NotFound with the names that are near.

        deleted: look among deleted versions too, as someone does who reads an old run.
        """
        with self._database.read() as connection:
            return self._record(self._row(connection, name, version, deleted=deleted))

    def versions(self, name: str, *, deleted: bool = False) -> tuple[R, ...]:
        """Every version, latest first, with the deleted ones when wanted.  Raises NotFound."""
        query = self._query(deleted=deleted).where(_A.name == name)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(_V.version.desc())).all()
            if not rows:
                raise self._not_found(connection, name, None)
        return tuple(self._record(row) for row in rows)

    def list(self, *, search: str = "", kind: AssetKind | None = None) -> tuple[R, ...]:
        """The latest version of each, by name.

        search: words of the name or the description, without regard to case and accents.
        """
        query = self._query().where(self._latest(), holding(_V.search_key, search_key(search)))
        if kind is not None:
            query = query.where(_V.kind == kind)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        ordered = sorted(rows, key=lambda row: (search_key(row.name), row.name))
        return tuple(self._record(row) for row in ordered)

    def list_deleted(self) -> tuple[R, ...]:
        """Every deleted version, the last deleted first."""
        query = self._query(deleted=True).where(_V.deleted_at.is_not(None))
        with self._database.read() as connection:
            rows = connection.execute(
                query.order_by(_V.deleted_at.desc(), _A.name, _V.version.desc())
            ).all()
        return tuple(self._record(row) for row in rows)

    def describe(
        self,
        name: str,
        *,
        version: int | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> R:
        """Change what people say of a version, the latest unless given; None leaves as it is."""
        with self._database.write() as connection:
            self._lock(connection, name)
            found = self._row(connection, name, version)
            values: dict[str, Any] = {}
            if description is not None:
                values["description"] = description
                values["search_key"] = search_key(f"{name} {description}")
            if tags is not None:
                values["tags"] = dict(tags)
            if values:
                connection.execute(
                    update(tables.asset_versions).where(_V.id == found.id).values(values)
                )
            return self._record(self._row(connection, name, found.version))

    def used_by(self, name: str) -> tuple[Use, ...]:
        """The drafts, runs and endpoints that name it, those that need it now first."""
        with self._database.read() as connection:
            return uses_of(connection, self.kinds, name)

    def delete(self, name: str, *, version: int | None = None, force: bool = False) -> None:
        """Hide a version, or all of them; `restore` brings them back.

        Raises InUse when a draft, an unfinished run or an endpoint needs it, unless forced.
        """
        with self._database.write() as connection:
            self._lock(connection, name)
            row = self._row(connection, name, version)
            uses = [use for use in uses_of(connection, self.kinds, name) if use.active]
            if version is not None:
                latest = self._row(connection, name, None).version
                uses = [use for use in uses if (use.version or latest) == version]
            if uses and not force:
                raise InUse(self.noun, name, uses)
            query = update(tables.asset_versions).where(
                _V.asset_id == row.asset_id, _V.deleted_at.is_(None)
            )
            if version is not None:
                query = query.where(_V.version == version)
            connection.execute(query.values(deleted_at=self._now()))

    def restore(self, name: str, *, version: int | None = None) -> R:
        """Bring back a deleted version, or all that the last deletion of this name hid."""
        with self._database.write() as connection:
            self._lock(connection, name)
            rows = connection.execute(
                self._query(deleted=True).where(_A.name == name, _V.deleted_at.is_not(None))
            ).all()
            last = max((row.deleted_at for row in rows), default=None)
            back = [
                row.id
                for row in rows
                if (row.deleted_at == last if version is None else row.version == version)
            ]
            if not back:
                wanted = name if version is None else f"{name}, version {version}"
                raise NotFound(f"deleted {self.noun}", wanted)
            connection.execute(
                update(tables.asset_versions).where(_V.id.in_(back)).values(deleted_at=None)
            )
            return self._record(self._row(connection, name, version))

    def _add(
        self,
        name: str,
        kind: AssetKind,
        *,
        digest: Digest,
        description: str,
        tags: Mapping[str, str] | None,
        lineage: Lineage | None,
        details: Mapping[str, Any],
        force: bool,
    ) -> R:
        """Add a version, unless the latest holds the same content already."""
        name = checked_name(name, self.noun)
        lineage = lineage or Lineage()
        with self._database.write() as connection:
            asset_id = self._shelve(connection, name)
            latest = connection.execute(
                self._query().where(_A.id == asset_id, self._latest())
            ).one_or_none()
            if latest is not None and latest.kind != kind:
                raise NameTaken(latest.kind, name)
            if latest is not None and latest.digest == digest and not force:
                return self._record(latest)
            highest = connection.scalar(select(func.max(_V.version)).where(_V.asset_id == asset_id))
            version = (highest or 0) + 1
            connection.execute(
                insert(tables.asset_versions),
                {
                    "asset_id": asset_id,
                    "version": version,
                    "kind": kind,
                    "digest": digest,
                    "description": description,
                    "tags": dict(tags or {}),
                    "run_id": lineage.run_id,
                    "node": lineage.node,
                    "port": lineage.port,
                    "draft_id": lineage.draft_id,
                    "details": dict(details),
                    "search_key": search_key(f"{name} {description}"),
                    "created_at": self._now(),
                },
            )
            return self._record(self._row(connection, name, version))

    def _shelve(self, connection: Connection, name: str) -> int:
        """The number of the name, made when it is new, locked until the transaction ends."""
        here = (_A.shelf == self.shelf, _A.name == name)
        if connection.scalar(select(_A.id).where(*here)) is None:
            put(connection, tables.assets, {"shelf": self.shelf, "name": name}, {})
        return connection.execute(select(_A.id).where(*here).with_for_update()).scalar_one()

    def _lock(self, connection: Connection, name: str) -> None:
        connection.execute(
            select(_A.id).where(_A.shelf == self.shelf, _A.name == name).with_for_update()
        )

    def _query(self, *, deleted: bool = False) -> Select[*tuple[Any, ...]]:
        query = (
            select(_A.name, *tables.asset_versions.columns)
            .join(tables.assets, _A.id == _V.asset_id)
            .where(_A.shelf == self.shelf)
        )
        return query if deleted else query.where(_V.deleted_at.is_(None))

    def _latest(self) -> Any:
        other = tables.asset_versions.alias("other")
        highest = select(func.max(other.c.version)).where(
            other.c.asset_id == _V.asset_id, other.c.deleted_at.is_(None)
        )
        return _V.version == highest.scalar_subquery()

    def _row(
        self, connection: Connection, name: str, version: int | None, *, deleted: bool = False
    ) -> AnyRow:
        query = self._query(deleted=deleted).where(_A.name == name)
        if version is not None:
            query = query.where(_V.version == version)
        # With deleted ones allowed a live version still comes first.
        query = query.order_by(_V.deleted_at.is_not(None), _V.version.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise self._not_found(connection, name, version)
        return row

    def _not_found(self, connection: Connection, name: str, version: int | None) -> NotFound:
        rows = connection.execute(
            self._query(deleted=True).where(_A.name == name).order_by(_V.version)
        ).all()
        live = [row.version for row in rows if row.deleted_at is None]
        if version is not None and live:
            there = ", ".join(str(number) for number in live)
            return NotFound(
                self.noun, f"{name}, version {version}", remedy=f"There is version {there}."
            )
        if rows:
            return NotFound(self.noun, name, remedy="It was deleted; restore it to use it again.")
        return NotFound(self.noun, name, self._names(connection))

    def _names(self, connection: Connection) -> Sequence[str]:
        query = select(_A.name).join(tables.asset_versions, _A.id == _V.asset_id)
        return connection.scalars(
            query.where(_A.shelf == self.shelf, _V.deleted_at.is_(None)).distinct()
        ).all()


def lineage_of(row: AnyRow) -> Lineage:
    """Where a version came from."""
    return Lineage(row.run_id, row.node, row.port, row.draft_id)
