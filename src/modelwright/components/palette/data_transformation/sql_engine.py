"""Running SQL over tables, in memory and shut off from files and networks."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright import temporary
from modelwright.components.errors import ComponentError, MissingExtra
from modelwright.components.palette.data_transformation.sql_rows import narrowed
from modelwright.data.expression import DuplicateColumn
from modelwright.data.expression.table import named
from modelwright.data.memory import allowed, in_parts, is_large, written

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# Text in quotes and comments come first, so that brackets within them are left alone.
_PARTS = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/)|(?<![\w\])"])\[([^\[\]'",]*)\]""",
    re.DOTALL,
)
# Of what may be taken the engine has this part, and rows come from it so many at a time.
_SHARE, _BATCH = 3, 1 << 16
_ROWS_OF_TABLES = re.compile(r"\browid\b", re.IGNORECASE)
_SQLITE = (
    "SET GLOBAL integer_division = true",
    "CREATE MACRO total(x) AS coalesce(sum(x), 0.0)",
    "CREATE MACRO iif(c, a, b) AS CASE WHEN c THEN a ELSE b END",  # codespell:ignore iif
    "CREATE MACRO julianday(x) AS julian(CAST(x AS TIMESTAMP)) - 0.5",
    "CREATE MACRO datetime(x) AS strftime(CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S')",
)


class SqlError(ComponentError):
    """An SQL script cannot be parsed, names what is not there, or fails on the data."""

    code = "sql-failed"

    def __init__(self, why: str, *, remedy: str = "") -> None:
        super().__init__(
            f"The SQL script fails: {why.rstrip('.?! ')}.",
            remedy=remedy or 'Correct it in "SQL Script"; the tables are called t1, t2 and t3.',
            why=why,
        )


def run_script(
    script: str,
    tables: Mapping[str, pl.DataFrame],
    *,
    threads: int | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> pl.DataFrame:
    """The rows of the last SELECT of a script over named tables.

    Not a number counts as NULL.  Statements that change tables change copies.
    Raises SqlError, DuplicateColumn for a result that names a column twice, and MissingExtra.
    """
    large = any(map(is_large, tables.values()))
    with _connection(threads, script, large=large) as (connection, statements):
        changes = any(not s for s, _ in statements) or _ROWS_OF_TABLES.search(script)
        if not changes and len(statements) == 1:
            ((_, query),) = statements
            query, tables = _failing(narrowed, connection, query, tables)
            statements = [(True, query)]
        for name, frame in tables.items():
            place = f"{name} rows" if changes else name
            _failing(connection.register, place, _handed_over(frame))
            if changes:
                copied = f'CREATE TABLE {name} AS SELECT * FROM "{name} rows"'  # noqa: S608  # own names
                connection.execute(copied)
        selects = [at for at, (is_select, _) in enumerate(statements) if is_select]
        if len(selects) > 1:
            log(f"The result is that of the last of {len(selects)} SELECT statements.")
        found: pl.DataFrame | None = None
        for at, (is_select, query) in enumerate(statements):
            if not is_select:
                _failing(connection.execute, query)
            elif at == selects[-1]:
                found = _failing(_streamed_rows if large else _rows, connection, query)
        if found is None:
            raise SqlError(
                "it holds no SELECT", remedy="End it with a SELECT that gives the result."
            )
        return found


def columns_of(script: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """An empty table with the columns that a script of one SELECT will give, without running it.

    None when it holds other statements.  Raises as `run_script`.
    """
    with _connection(1, script) as (connection, statements):
        if [is_select for is_select, _ in statements] != [True]:
            return None
        for name, frame in tables.items():
            _failing(connection.register, name, frame.to_arrow())
        query = statements[0][1].rstrip().rstrip(";")
        asked = f"SELECT * FROM (\n{query}\n) LIMIT 0"  # noqa: S608  # the script is the user's SQL
        columns: pl.DataFrame = _failing(_rows, connection, asked)
        return columns


def _handed_over(frame: pl.DataFrame) -> pa.Table:
    """The rows in Arrow's form, NaN as null; columns without one are not copied."""
    floats = [n for n, dtype in frame.schema.items() if dtype.is_float()]
    told = frame.select(named(n).is_nan().any() for n in floats).row(0) if floats else ()
    held = [n for n, has_nan in zip(floats, told, strict=True) if has_nan]
    filled = [named(n).fill_nan(None) for n in held]
    plain = in_parts(frame, lambda rows: rows.with_columns(filled)) if held else frame
    return plain.to_arrow(compat_level=pl.CompatLevel.newest())


@contextmanager
def _connection(
    threads: int | None, script: str, *, large: bool = False
) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[tuple[bool, str]]]]:
    """A connection for a script, and its statements.  Raises SqlError and MissingExtra.

    What only reads shares an engine that is kept, as starting one takes as long as a small query; the
    tables of a connection are its own there.  What makes or changes anything gets an engine of its own, and
    so does what reads tables larger than memory, with a folder for what has no room.
    """
    try:
        import duckdb  # noqa: F401
        import pyarrow  # noqa: F401  # tables are handed over in its form
    except ImportError as error:
        raise MissingExtra(error.name or "duckdb", "learn") from None
    if large:
        with (
            tempfile.TemporaryDirectory(dir=temporary.place()) as folder,
            _engine(threads, spill=folder) as own,
        ):
            yield own, _statements(own, script)
        return
    with _kept_engine(os.getpid(), threads).cursor() as shared:
        statements = _statements(shared, script)
        if all(is_select for is_select, _ in statements):
            yield shared, statements
            return
    with _engine(threads) as own:
        yield own, _statements(own, script)


@cache
def _kept_engine(process: int, threads: int | None) -> duckdb.DuckDBPyConnection:
    """The engine of this process; one that a fork took over has lost its threads."""
    return _engine(threads)


def _engine(threads: int | None, *, spill: str = "") -> duckdb.DuckDBPyConnection:
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    if threads:
        settings["threads"] = threads
    if spill:
        # Not all that the engine takes counts for its limit.
        settings |= {"temp_directory": spill, "memory_limit": f"{allowed() // _SHARE}B"}
    engine = duckdb.connect(":memory:", config=settings)
    for setting in _SQLITE:
        engine.execute(setting)
    engine.execute("SET lock_configuration = true")
    return engine


def _statements(connection: duckdb.DuckDBPyConnection, script: str) -> list[tuple[bool, str]]:
    """Each statement, and whether it gives rows.  Raises SqlError."""
    quoted = _PARTS.sub(
        lambda m: m[1] if m[2] is None or m[2].strip().isdigit() else f'"{m[2]}"', script
    )
    found = _failing(connection.extract_statements, quoted)
    return [(s.type.name == "SELECT", s.query) for s in found]


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    table = connection.sql(query).to_arrow_table()
    _require_once(table.column_names)
    return _frame(table)


def _require_once(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DuplicateColumn(name)
        seen.add(name)


def _streamed_rows(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    """The rows of a query, which go to a file that they are mapped from."""
    reader = connection.sql(query).to_arrow_reader(_BATCH)
    _require_once(reader.schema.names)
    empty = reader.schema.empty_table()
    return written(map(_frame, chain([empty], reader)))


def _frame(table: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table gives a frame")
    # Sums of whole numbers come as decimals without digits after the point.
    whole = [
        name
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Decimal) and dtype.scale == 0
    ]
    return frame.with_columns(named(name).cast(pl.Int64) for name in whole)


def _failing(work: Callable[..., Any], *arguments: Any) -> Any:
    import duckdb

    try:
        return work(*arguments)
    except duckdb.OutOfMemoryException as error:
        remedy = (
            "Take fewer rows or columns before it, or run it where workers may take more memory."
        )
        raise SqlError("it needs more memory than there is", remedy=remedy) from error
    except duckdb.Error as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise SqlError(" ".join(lines[:2])) from error
    except pl.exceptions.InvalidOperationError as error:
        raise SqlError("a sum of whole numbers is too large") from error
