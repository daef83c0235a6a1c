"""Whether a table's columns can go into those of a database that are there already."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.components.places.connection import Connection
from modelwright.components.places.errors import DatabaseFailed
from modelwright.data.schema import ColumnType
from modelwright.data.table import Table

if TYPE_CHECKING:
    from sqlalchemy import Table as SqlTable
    from sqlalchemy.engine import Connection as Line


def fit(connection: Connection, line: Line, target: SqlTable, table: Table) -> None:
    """Refuse columns that the target lacks, or has with another type.

    Databases round, cut or spell out many a value of another type without a word, and SQLite keeps it
    as it is.  Whole numbers go into fractional columns, and days without a time into columns of dates.
    Types that only one database knows are its own to judge.  Raises DatabaseFailed.
    """
    from sqlalchemy import inspect

    found = inspect(line).get_columns(target.name, schema=target.schema)
    there = {c["name"]: c["type"] for c in found}
    if lacking := [c.name for c in table.schema if c.name not in there]:
        listed = ", ".join(f'"{n}"' for n in lacking)
        raise DatabaseFailed(connection.name, f'the table "{target.name}" has no column {listed}')
    for column in table.schema:
        values = table.frame[column.name]
        if not _takes(there[column.name], column.type, values, line.dialect.name):
            why = (
                f'the column "{column.name}" of the table "{target.name}" is {there[column.name]}, '
                f"and the data have {column.type.value} there"
            )
            raise DatabaseFailed(connection.name, why)


def _takes(there: Any, kind: ColumnType, values: pl.Series, dialect: str) -> bool:
    from sqlalchemy import types

    if values.null_count() == len(values):
        return True
    if isinstance(there, types.Text | types.VARCHAR | types.CHAR):
        return kind in (ColumnType.STRING, ColumnType.OTHER)
    numbers = (types.Integer, types.Numeric, types.Float)
    if not isinstance(there, (*numbers, types.Boolean, types.Date, types.DateTime, types.Time)):
        return True
    if dialect == "sqlite" and isinstance(there, types.Boolean):
        # Truth values are numbers there, and times are text; both come back as these.
        return kind in (ColumnType.BOOLEAN, ColumnType.INTEGER)
    if dialect == "sqlite" and kind is ColumnType.STRING:
        return isinstance(there, types.Date | types.DateTime | types.Time)
    match kind:
        case ColumnType.INTEGER:
            return isinstance(there, numbers)
        case ColumnType.DOUBLE:
            return isinstance(there, types.Numeric | types.Float)
        case ColumnType.BOOLEAN:
            # MySQL and Oracle keep truth values as numbers.
            return isinstance(there, types.Boolean | types.Integer)
        case ColumnType.DATETIME if isinstance(there, types.Date):
            return bool((values.drop_nulls().dt.time() == time()).all())
        case ColumnType.DATETIME:
            return isinstance(there, types.DateTime)
        case _:
            # Spans and times of day are written as text.
            return isinstance(there, types.Time)
