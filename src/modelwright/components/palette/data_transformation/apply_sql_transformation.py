"""Apply SQL Transformation: an SQL query over up to three tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

import polars as pl
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.column_flow import table_outline
from modelwright.components.palette.data_transformation.sql_engine import columns_of, run_script
from modelwright.components.parameters import SqlCode
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table


class ApplySQLTransformation(Component, category="Data Transformation"):
    """Run an SQL script over up to three tables.

    The tables are t1, t2 and t3, by port.  The result is that of the script's last SELECT; it may hold
    further statements, with semicolons between, that make or change tables in memory.  Names with
    blanks or signs stand in double quotes or square brackets.

    The engine is DuckDB, set to the ways of SQLite where it can be: whole numbers divide to whole
    numbers, and functions such as total, ifnull, julianday and datetime are there.  Unlike SQLite it
    has types, so text is not taken for a number without a CAST; LIKE tells upper from lower case
    (ILIKE does not); the larger of two values is greatest, the smaller least.  It has all kinds of
    joins, but no access to files or networks.

    Missing values are NULL.  Rows come in the order of the table unless the query orders them.  Roles
    and flags stay on result columns that have the name and type of an input column.
    """

    script: Annotated[SqlCode, Field(title="SQL Script")] = "SELECT * FROM t1"
    """The script; its last SELECT gives the result."""

    def run(
        self,
        t1: Annotated[Table, Titled("t1")],
        t2: Annotated[Table | None, Titled("t2")] = None,
        t3: Annotated[Table | None, Titled("t3")] = None,
        *,
        context: Context,
    ) -> Annotated[Table, Titled("Results dataset")]:
        tables = {n: t for n, t in (("t1", t1), ("t2", t2), ("t3", t3)) if t is not None}
        frames = {name: table.frame for name, table in tables.items()}
        found = Table(run_script(self.script, frames, threads=context.threads, log=context.log))
        return Table(found.frame, _marked(found.schema, [t.schema for t in tables.values()]))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        known = {name: table_outline(inputs, name) for name in ("t1", "t2", "t3")}
        if known["t1"] is None:
            return super().outline(**inputs)
        tables = {name: table for name, table in known.items() if table is not None}
        nested = any(c.type is ColumnType.OTHER for t in tables.values() for c in t.schema)
        unknown = [name for name in known if name not in tables]
        # A port of which nothing is known may have no wire, or one whose table is still to come.
        awaited = any(re.search(rf"\b{name}\b", self.script, re.IGNORECASE) for name in unknown)
        if nested or awaited or not all(t.complete for t in tables.values()):
            return super().outline(**inputs)
        empty = {
            name: pl.DataFrame(schema={c.name: c.type.dtype for c in table.schema})
            for name, table in tables.items()
        }
        frame = columns_of(self.script, empty)
        if frame is None:
            return super().outline(**inputs)
        schema = _marked(Table(frame).schema, [t.schema for t in tables.values()])
        return {"results_dataset": TableOutline(schema)}


def _marked(found: Schema, sources: Sequence[Schema]) -> Schema:
    """The columns with the marks of the first source that has such a column."""
    marks: list[Column] = []
    for column in found:
        same = (s.column(column.name) for s in sources if column.name in s)
        marks.append(next((c for c in same if c.type is column.type), column))
    return Schema(tuple(marks))
