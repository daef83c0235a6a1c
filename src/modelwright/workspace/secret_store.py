"""Named connections, whose secret values are sealed at rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import NotFound
from modelwright.workspace.names import checked_name
from modelwright.workspace.records.people import Secret
from modelwright.workspace.rows import AnyRow, put
from modelwright.workspace.sealing import Seal

_S = tables.secrets.c


class Secrets:
    """The secrets of a workspace; `reveal` alone gives their values."""

    def __init__(self, database: Database, now: Clock, seal: Seal) -> None:
        self._database = database
        self._now = now
        self._seal = seal

    def put(
        self,
        name: str,
        values: Mapping[str, str],
        *,
        kind: str = "connection",
        description: str = "",
        public: Mapping[str, Any] | None = None,
    ) -> Secret:
        """Store a secret, in place of one that has the name.

        values: sealed.  public: fields that anyone may see, as JSON.
        """
        name = checked_name(name, "secret")
        now = self._now()
        row = {
            "kind": kind,
            "description": description,
            "public": dict(public or {}),
            "sealed_keys": list(values),
            "sealed": self._seal.close(json.dumps(dict(values))),
            "changed_at": now,
        }
        with self._database.write() as connection:
            known = connection.scalar(
                select(_S.created_at).where(_S.name == name).with_for_update()
            )
            put(connection, tables.secrets, {"name": name}, {**row, "created_at": known or now})
            return _secret(_get(connection, name))

    def get(self, name: str) -> Secret:
        """One secret without its values.  Raises NotFound."""
        with self._database.read() as connection:
            return _secret(_get(connection, name))

    def list(self) -> tuple[Secret, ...]:
        """Every secret without its values, by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(tables.secrets).order_by(_S.name)).all()
        return tuple(_secret(row) for row in rows)

    def reveal(self, name: str) -> dict[str, str]:
        """The values.  Raises NotFound and SecretKeyMismatch."""
        with self._database.read() as connection:
            row = _get(connection, name)
        values: dict[str, str] = json.loads(self._seal.open(row.sealed, what=f'Secret "{name}"'))
        return values

    def delete(self, name: str) -> None:
        """Forget a secret for good.  Raises NotFound."""
        with self._database.write() as connection:
            _get(connection, name)
            connection.execute(delete(tables.secrets).where(_S.name == name))


def _get(connection: Connection, name: str) -> AnyRow:
    row = connection.execute(select(tables.secrets).where(_S.name == name)).one_or_none()
    if row is None:
        raise NotFound("secret", name, connection.scalars(select(_S.name)).all())
    return row


def _secret(row: AnyRow) -> Secret:
    return Secret(
        name=row.name,
        kind=row.kind,
        description=row.description,
        public=row.public,
        keys=tuple(row.sealed_keys),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
