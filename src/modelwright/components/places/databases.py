"""Databases: rows asked for in a transaction that changes nothing, and rows written all or none."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from modelwright.components.errors import MissingExtra
from modelwright.components.places.connection import Connection, Reach
from modelwright.components.places.database_columns import Family, Held, fit
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
_PLAIN = re.compile(r"[^\W\d][\w$]*(\.[^\W\d][\w$]*)?")
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_EXTRAS = {"postgresql": "postgres"}
# What else a query of SQLite could do beside reading its own file.
_ATTACH, _PRAGMA = 24, 19
_HALF = 1 << 63
# The numbers of PostgreSQL's own types never change.
_POSTGRES: dict[int, pl.DataType] = {
    **dict.fromkeys((20, 21, 23), pl.Int64()),
    **dict.fromkeys((700, 701, 1700), pl.Float64()),
    16: pl.Boolean(),
    **dict.fromkeys((1082, 1114), pl.Datetime("us")),
}
# Longer waits than the driver's, as another export may be writing.
_SQLITE_WAIT_S = 60
_CONNECT_S = 30


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
            told = _told_types(engine, names, result)
            parts = [_frame(names, rows, told) for rows in result.partitions(_AT_A_TIME)]
            line.rollback()
    return Table(_joined(parts or [_frame(names, [], told)]))


def write_rows(
    connection: Connection, name: str, table: Table, reach: Reach, *, if_exists: IfExists
) -> None:
    """Put rows into a table of a database, which is made when it is not there; all rows or none.

    name: with its schema before a full stop, if any.  if_exists: Overwrite takes the rows away that
    are there and keeps the table, its types and rights.  A column of another type is refused, also
    where the database would round or cut the values.  NaN is missing but in PostgreSQL, which has it.
    Times with a zone keep their moment: as such in PostgreSQL, in UTC elsewhere.
    Databases that know no transactions of definitions (MySQL, Oracle) may keep an empty new table
    after a failure.
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
        _require_short(connection, engine, [plain, *table.schema.names])
        _wait_for_turn(line, plain)
        target = _table(plain, schema or None, table)
        if inspect(line).has_table(plain, schema=schema or None):
            if if_exists == "Error":
                raise TargetExists(f"{connection.name}: {name}")
            fit(connection, plain, line.dialect.name, _held(line, target), table)
            if if_exists == "Overwrite":
                line.execute(delete(target))
        else:
            target.create(line)
        for part in table.frame.iter_slices(_WRITTEN_AT_A_TIME):
            line.execute(insert(target), _records(part, line.dialect.name))


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


def _told_types(engine: Engine, names: list[str], result: Any) -> dict[str, pl.DataType]:
    """What PostgreSQL says of columns, for those without a value that would tell."""
    if engine.dialect.name != "postgresql":
        return {}
    codes = [entry[1] for entry in result.cursor.description]
    known = zip(names, codes, strict=True)
    return {name: _POSTGRES[code] for name, code in known if code in _POSTGRES}


def _frame(names: list[str], rows: Any, told: Mapping[str, pl.DataType]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pl.DataFrame(
        [
            _series(name, list(values), told.get(name, pl.Null()))
            for name, values in zip(names, columns, strict=True)
        ]
    )


def _series(name: str, values: list[Any], told: pl.DataType) -> pl.Series:
    kinds = {type(v) for v in values if v is not None}
    if not kinds:
        return pl.Series(name, values, dtype=told)
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
        sql.Column(
            c.name,
            sql.DateTime(timezone=True) if _zone(dtype) else kinds.get(c.type, sql.Text()),
            nullable=True,
        )
        for c, dtype in zip(table.schema, table.frame.dtypes, strict=True)
    ]
    return sql.Table(name, sql.MetaData(), *columns, schema=schema)


def _zone(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Datetime) and dtype.time_zone is not None


def _require_short(connection: Connection, engine: Engine, names: list[str]) -> None:
    """Refuses names that PostgreSQL would cut, so that nobody finds the table or column again."""
    most = engine.dialect.max_identifier_length
    for name in names:
        size = len(name.encode()) if engine.dialect.name == "postgresql" else len(name)
        if size > most:
            why = f'the name "{name}" is longer than the {most} bytes that it can have'
            raise DatabaseFailed(connection.name, why)


def _held(line: Line, target: SqlTable) -> dict[str, Held]:
    from sqlalchemy import inspect, types

    families: dict[Family, Any] = {
        "text": (types.Text, types.VARCHAR, types.CHAR),
        "boolean": types.Boolean,
        "whole": types.Integer,
        "number": (types.Numeric, types.Float),
        "day": types.Date,
        "moment": types.DateTime,
        "time": types.Time,
    }
    found = inspect(line).get_columns(target.name, schema=target.schema)
    return {
        c["name"]: Held(
            str(c["type"]),
            next((f for f, of in families.items() if isinstance(c["type"], of)), None),
        )
        for c in found
    }


def _wait_for_turn(line: Line, name: str) -> None:
    """Lets one export after the other look at a table: a deletion sees no rows that come meanwhile."""
    from sqlalchemy import text

    if line.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:number)")
        line.execute(lock, {"number": zlib.crc32(name.encode())})


def _records(part: pl.DataFrame, dialect: str) -> list[dict[str, Any]]:
    plain = part.with_columns(_sent(name, d, dialect) for name, d in part.schema.items())
    nested = [
        n for n, d in part.schema.items() if d.is_nested() or d in (pl.Binary, pl.Duration, pl.Time)
    ]
    rows = plain.to_dicts()
    for row in rows if nested else ():
        for name in nested:
            row[name] = _as_text(row[name])
    return rows


def _sent(name: str, dtype: pl.DataType, dialect: str) -> pl.Expr:
    column = named(name)
    if dialect == "postgresql":
        return column
    if dtype == pl.Float64:
        return column.fill_nan(None)
    if _zone(dtype):
        return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return column


@contextmanager
def _engine(connection: Connection, reach: Reach, *, write: bool) -> Iterator[Engine]:
    try:
        import sqlalchemy as sql
    except ImportError:
        raise MissingExtra("sqlalchemy", "server") from None
    try:
        url = sql.make_url(connection.url)
    except (sql.exc.ArgumentError, ValueError):
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
        told = connect_arguments(url.get_backend_name(), write=write)
        engine = sql.create_engine(
            url,
            poolclass=sql.pool.NullPool,
            connect_args={name: value for name, value in told.items() if name not in url.query},
        )
    except (sql.exc.NoSuchModuleError, ImportError) as error:
        driver = getattr(error, "name", None) or url.drivername
        raise MissingExtra(driver, _EXTRAS.get(url.get_backend_name())) from error
    if url.get_backend_name() == "sqlite":
        _guard_sqlite(engine, write=write)
    try:
        yield engine
    finally:
        engine.dispose()


def connect_arguments(backend: str, *, write: bool) -> dict[str, Any]:
    """What a database's driver is told beside the URL."""
    if backend == "sqlite":
        return {"timeout": _SQLITE_WAIT_S}
    if backend == "duckdb":
        # Its queries could read and write any file of this machine.
        closed = {"enable_external_access": "false", "lock_configuration": "true"}
        return {"config": closed, "read_only": not write}
    # Without it, one that never answers is waited for for minutes.
    return {"connect_timeout": _CONNECT_S} if backend == "postgresql" else {}


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
        # Two writers that both have read first would each wait for the other.
        line.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _told(connection: Connection, query: str) -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        fault = error.orig if isinstance(error, DBAPIError) and error.orig else error
        why = str(fault).strip().partition("\n")[0].rstrip(".") or type(fault).__name__
        raise DatabaseFailed(connection.name, why, query=query) from error
