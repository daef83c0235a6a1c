"""Settings of the workspace: named JSON values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.rows import put

_S = tables.settings.c


class Settings:
    """The settings of a workspace."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default when it was never set."""
        with self._database.read() as connection:
            row = connection.execute(select(_S.value).where(_S.name == name)).one_or_none()
        return default if row is None else row[0]

    def set(self, name: str, value: Any) -> None:
        """Store a value in place of the one before."""
        values = {"value": value, "changed_at": self._now()}
        with self._database.write() as connection:
            put(connection, tables.settings, {"name": name}, values)

    def remove(self, name: str) -> None:
        """Go back to the default."""
        with self._database.write() as connection:
            connection.execute(delete(tables.settings).where(_S.name == name))

    def all(self) -> dict[str, Any]:
        """Every value that was set, by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(_S.name, _S.value).order_by(_S.name)).all()
        return {row.name: row.value for row in rows}
