"""Databases: rows asked for in a transaction that changes nothing, and rows written all or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from modelwright.components.errors import MissingExtra
from modelwright.components.places.connection import Connection, Reach
from modelwright.components.places.errors import (
    DatabaseFailed,
    InvalidConnection,
    TargetExists,
)
from modelwright.components.places.storage import allowed_file
from modelwright.data.column_names import named
from modelwright.data.schema import ColumnType
from modelwright.data.table import Table

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy import Table as SqlTable
    from sqlalchemy.engine import Connection as Line

IfExists = Literal["Error", "Overwrite", "Append"]

_AT_A_TIME = 50_000
_WRITTEN_AT_A_TIME = 5_000
_PLAIN = re.compile(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?")
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_EXTRAS = {"postgresql": "postgres"}
# What else a query of SQLite could do beside reading its own file.
_ATTACH, _PRAGMA = 24, 19
_HALF = 1 << 63


def read_rows(connection: Connection, query: str, reach: Reach) -> Table:
    """The rows that a query gives, or all of the table that it names.

    They are fetched in parts, in a transaction that is read-only where the database knows such ones
    and is never committed.  Raises DatabaseFailed, InvalidConnection and MissingExtra.
    """
    from sqlalchemy import text

    query = query.strip().rstrip(";")
    with _engine(connection, reach, write=False) as engine, _told(connection, query):
        statement = text(_select(engine, query).replace(":", r"\:"))
        options: dict[str, Any] = {"stream_results": True, "max_row_buffer": _AT_A_TIME}
        if engine.dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        with engine.connect().execution_options(**options) as line:
            result = line.execute(statement)
            if not result.returns_rows:
                raise DatabaseFailed(connection.name, "it gives no rows", query=query)
            names = _unique(list(result.keys()))
            parts = [_frame(names, rows) for rows in result.partitions(_AT_A_TIME)]
            line.rollback()
    return Table(_joined(parts) if parts else pl.DataFrame({name: [] for name in names}))


def write_rows(
    connection: Connection, name: str, table: Table, reach: Reach, *, if_exists: IfExists
) -> None:
    """Put rows into a table of a database, which is made when it is not there; all rows or none.

    name: with its schema before a full stop, if any.  if_exists: Overwrite takes the rows away that
    are there and keeps the table, its types and rights.  Databases that know no transactions of
    definitions (MySQL, Oracle) may keep an empty new table after a failure.
    Raises DatabaseFailed, TargetExists, InvalidConnection and MissingExtra.
    """
    from sqlalchemy import delete, insert, inspect

    name = name.strip()
    if not _PLAIN.fullmatch(name):
        why = "the path names a table of the database, with its schema before a full stop"
        raise InvalidConnection(f"{connection.name}: {name}", why)
    schema, _, plain = name.rpartition(".")
    with (
        _engine(connection, reach, write=True) as engine,
        _told(connection, name),
        engine.begin() as line,
    ):
        target = _table(plain, schema or None, table)
        if inspect(line).has_table(plain, schema=schema or None):
            if if_exists == "Error":
                raise TargetExists(f"{connection.name}: {name}")
            _fit(connection, line, target, table)
            if if_exists == "Overwrite":
                line.execute(delete(target))
        else:
            target.create(line)
        for part in table.frame.iter_slices(_WRITTEN_AT_A_TIME):
            line.execute(insert(target), _records(part))


def _select(engine: Engine, query: str) -> str:
    if not query:
        return "SELECT 1 WHERE 0 = 1"
    if not _PLAIN.fullmatch(query):
        return query
    quote = engine.dialect.identifier_preparer.quote
    return "SELECT * FROM " + ".".join(quote(part) for part in query.split("."))  # noqa: S608  # quoted


def _unique(names: list[str]) -> list[str]:
    """Names of the columns; one that comes again gets _1, _2 and so on, as in files."""
    found: list[str] = []
    for name in names:
        wish, number = name or f"Col{len(found) + 1}", 0
        while wish in found:
            number += 1
            wish = f"{name}_{number}"
        found.append(wish)
    return found


def _frame(names: list[str], rows: Any) -> pl.DataFrame:
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [_series(name, list(values)) for name, values in zip(names, columns, strict=True)]
    )


def _series(name: str, values: list[Any]) -> pl.Series:
    kinds = {type(v) for v in values if v is not None}
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    if kinds <= {int, float, bool, Decimal} and kinds != {bool}:
        whole = kinds <= {int, bool} and all(v is None or -_HALF <= v < _HALF for v in values)
        convert = int if whole else float
        dtype = pl.Int64 if whole else pl.Float64
        return pl.Series(name, [None if v is None else convert(v) for v in values], dtype=dtype)
    if len(kinds) == 1 and kinds <= {bool, str, datetime, date}:
        return pl.Series(name, values)
    # Whatever tables do not hold, such as identifiers and documents, is text.
    return pl.Series(name, [_as_text(v) for v in values], dtype=pl.String)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        import json

        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


def _joined(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The parts as one; a column that is text in one of them is text in all."""
    texts = {n for part in parts for n, d in part.schema.items() if d == pl.String}
    same = [
        part.with_columns(
            named(n).cast(pl.String)
            for n, d in part.schema.items()
            if n in texts and d != pl.String
        )
        for part in parts
    ]
    return pl.concat(same, how="vertical_relaxed")


def _table(name: str, schema: str | None, table: Table) -> SqlTable:
    import sqlalchemy as sql

    kinds: dict[ColumnType, Any] = {
        ColumnType.INTEGER: sql.BigInteger(),
        ColumnType.DOUBLE: sql.Double(),
        ColumnType.BOOLEAN: sql.Boolean(),
        ColumnType.DATETIME: sql.DateTime(),
    }
    columns = [
        sql.Column(c.name, kinds.get(c.type, sql.Text()), nullable=True) for c in table.schema
    ]
    return sql.Table(name, sql.MetaData(), *columns, schema=schema)


def _fit(connection: Connection, line: Line, target: SqlTable, table: Table) -> None:
    from sqlalchemy import inspect

    there = {c["name"] for c in inspect(line).get_columns(target.name, schema=target.schema)}
    if lacking := [c.name for c in table.schema if c.name not in there]:
        listed = ", ".join(f'"{n}"' for n in lacking)
        raise DatabaseFailed(connection.name, f'the table "{target.name}" has no column {listed}')


def _records(part: pl.DataFrame) -> list[dict[str, Any]]:
    plain = part.with_columns(
        named(name).fill_nan(None) for name, dtype in part.schema.items() if dtype == pl.Float64
    )
    nested = [n for n, d in part.schema.items() if d.is_nested() or d == pl.Binary]
    rows = plain.to_dicts()
    for row in rows if nested else ():
        for name in nested:
            row[name] = _as_text(row[name])
    return rows


@contextmanager
def _engine(connection: Connection, reach: Reach, *, write: bool) -> Iterator[Engine]:
    try:
        import sqlalchemy as sql
    except ImportError:
        raise MissingExtra("sqlalchemy", "server") from None
    try:
        url = sql.make_url(connection.url)
    except sql.exc.ArgumentError:
        raise InvalidConnection(connection.name, "its URL cannot be read") from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    values = dict(connection.values)
    if password := values.pop("password", None):
        url = url.set(password=password)
    if values:
        url = url.update_query_dict(values)
    if url.get_backend_name() in ("sqlite", "duckdb"):
        if not url.database or url.database == ":memory:":
            raise InvalidConnection(connection.name, "it names no file")
        file = allowed_file(url.database, reach)
        url = url.set(database=str(file), query={})
        if not write and not file.is_file():
            raise InvalidConnection(connection.name, f'there is no file "{file}"')
    try:
        engine = sql.create_engine(url, poolclass=sql.pool.NullPool)
    except (sql.exc.NoSuchModuleError, ImportError) as error:
        driver = getattr(error, "name", None) or url.drivername
        extra = _EXTRAS.get(url.get_backend_name(), url.get_backend_name())
        raise MissingExtra(driver, extra) from error
    if url.get_backend_name() == "sqlite":
        _guard_sqlite(engine, write=write)
    try:
        yield engine
    finally:
        engine.dispose()


def _guard_sqlite(engine: Engine, *, write: bool) -> None:
    import sqlite3

    from sqlalchemy import event

    def refuse(action: int, first: Any, second: Any, *rest: Any) -> int:
        forbidden = action == _ATTACH or (action == _PRAGMA and second is not None and not write)
        return sqlite3.SQLITE_DENY if forbidden else sqlite3.SQLITE_OK

    @event.listens_for(engine, "connect")
    def opened(line: Any, record: Any) -> None:
        # The driver begins transactions late otherwise, and leaves definitions out of them.
        line.isolation_level = None
        if not write:
            line.execute("PRAGMA query_only = 1")
        line.set_authorizer(refuse)

    @event.listens_for(engine, "begin")
    def begun(line: Any) -> None:
        line.exec_driver_sql("BEGIN")


@contextmanager
def _told(connection: Connection, query: str) -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        fault = error.orig if isinstance(error, DBAPIError) and error.orig else error
        why = str(fault).strip().partition("\n")[0].rstrip(".") or type(fault).__name__
        raise DatabaseFailed(connection.name, why, query=query) from error
