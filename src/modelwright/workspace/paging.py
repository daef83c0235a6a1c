"""A page of a long list, newest first, stable while the list grows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import Column, Connection, Select, and_, func, or_

from modelwright.workspace.errors import InvalidCursor
from modelwright.workspace.records.pages import Page

T = TypeVar("T")
Columns = TypeVarTuple("Columns")


def read_page(
    connection: Connection,
    query: Select[*Columns],
    make: Callable[[Any], T],
    *,
    order: Column[datetime],
    id: Column[str],
    limit: int,
    after: str | None,
) -> Page[T]:
    """The rows of `query` that follow the cursor `after`, by time and then by id, latest first.

    The cursor holds the place itself, so that a row which moves does not move the page.
    Raises InvalidCursor.
    """
    total = connection.scalar(query.with_only_columns(func.count(), maintain_column_froms=True))
    if after is not None:
        moment, key = _place(after)
        query = query.where(or_(order < moment, and_(order == moment, id < key)))
    rows = connection.execute(query.order_by(order.desc(), id.desc()).limit(limit + 1)).all()
    last = rows[limit - 1]._mapping if len(rows) > limit else None
    return Page(
        items=tuple(make(row) for row in rows[:limit]),
        total=total or 0,
        after=f"{last[order].isoformat()}~{last[id]}" if last else None,
    )


def _place(cursor: str) -> tuple[datetime, str]:
    moment, mark, key = cursor.partition("~")
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        raise InvalidCursor(cursor) from None
    if not mark or when.tzinfo is None:
        raise InvalidCursor(cursor)
    return when, key


def holding(column: Column[str], key: str) -> Any:
    """The condition that every word of a folded search text is somewhere in the column."""
    return and_(True, *(column.contains(word, autoescape=True) for word in key.split()))
