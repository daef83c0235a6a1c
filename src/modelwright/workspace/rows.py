"""Rows as the database gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, Row, Table, select

from modelwright.workspace import tables
from modelwright.workspace.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

AnyRow: TypeAlias = Row[*tuple[Any, ...]]


def put(
    connection: Connection, table: Table[Any], key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Add a row, or change the one that has this key; without values leave that one alone.

    Two who do it at the same time both succeed.
    """
    query = _insert(connection, table).values({**key, **values})
    if values:
        query = query.on_conflict_do_update(index_elements=list(key), set_=dict(values))
    else:
        query = query.on_conflict_do_nothing()
    connection.execute(query)


def _insert(connection: Connection, table: Table[Any]) -> postgresql.Insert | sqlite.Insert:
    # The two databases share the words, SQLAlchemy does not share the function.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_postgres

        return insert_postgres(table)
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite

    return insert_sqlite(table)


def no_such_run(connection: Connection, run_id: str) -> NotFound:
    """The error for an unknown run, with the latest runs whose ids are near."""
    runs = tables.runs.c
    latest = select(runs.id).order_by(runs.created_at.desc()).limit(500)
    return NotFound("run", run_id, connection.scalars(latest).all())


def need_run(connection: Connection, run_id: str) -> None:
    """Raise NotFound unless there is such a run."""
    runs = tables.runs.c
    if connection.scalar(select(runs.id).where(runs.id == run_id)) is None:
        raise no_such_run(connection, run_id)


def endpoint_row(connection: Connection, name: str, *, lock: bool = False) -> AnyRow:
    """An endpoint's row, locked until the transaction ends when wanted.  Raises NotFound."""
    endpoints = tables.endpoints.c
    query = select(tables.endpoints).where(endpoints.name_key == name.lower())
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("endpoint", name, connection.scalars(select(endpoints.name)).all())
    return row
