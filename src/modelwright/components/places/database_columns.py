"""Whether a table's columns can go into those of a database that are there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Literal

import polars as pl

from modelwright.components.places.connection import Connection
from modelwright.components.places.errors import DatabaseFailed
from modelwright.data.schema import ColumnType
from modelwright.data.table import Table

Family = Literal["text", "boolean", "whole", "number", "day", "moment", "time"]


@dataclass(frozen=True)
class Held:
    """What a column of a database holds.

    type: as the database calls it.  family: None for types that only one database knows.
    """

    type: str
    family: Family | None


def fit(
    connection: Connection, name: str, dialect: str, there: Mapping[str, Held], table: Table
) -> None:
    """Refuse columns that the database's table lacks, or has with another type.

    Databases round, cut or spell out many a value of another type without a word, and SQLite keeps it
    as it is.  Whole numbers go into fractional columns, and days without a time into columns of dates.
    Types that only one database knows are its own to judge.  Raises DatabaseFailed.
    """
    if lacking := [c.name for c in table.schema if c.name not in there]:
        listed = ", ".join(f'"{n}"' for n in lacking)
        raise DatabaseFailed(connection.name, f'the table "{name}" has no column {listed}')
    for column in table.schema:
        held = there[column.name]
        if not _takes(held.family, column.type, table.frame[column.name], dialect):
            why = (
                f'the column "{column.name}" of the table "{name}" is {held.type}, '
                f"and the data have {column.type.value} there"
            )
            raise DatabaseFailed(connection.name, why)


def _takes(family: Family | None, kind: ColumnType, values: pl.Series, dialect: str) -> bool:
    if family is None or values.null_count() == len(values):
        return True
    is_text = kind in (ColumnType.STRING, ColumnType.OTHER)
    match family:
        case "text":
            return is_text
        case "whole":
            # MySQL and Oracle keep truth values as numbers.
            return kind in (ColumnType.INTEGER, ColumnType.BOOLEAN)
        case "number":
            return kind.is_numeric
        case "boolean":
            # Of SQLite they come back as numbers, and times as text.
            known = kind is ColumnType.INTEGER and dialect == "sqlite"
            return known or kind is ColumnType.BOOLEAN
        case "day" if kind is ColumnType.DATETIME:
            return bool((values.drop_nulls().dt.time() == time()).all())
        case "moment" if kind is ColumnType.DATETIME:
            return True
        case "day" | "moment":
            return kind is ColumnType.STRING and dialect == "sqlite"
        case "time":
            # Spans and times of day are written as text.
            return is_text
