"""Rows that a query asks for by comparing columns with constants, chosen before its table is handed over.

Handing over takes longer than such a comparison, above all of text.  Only queries of one table are looked
at, and of their WHERE only comparisons that mean the same here and there; all else stays in the query.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.data.memory import is_large, rows_where
from modelwright.data.side_by_side import side_by_side

if TYPE_CHECKING:
    import duckdb

LEAST = 1 << 16
"""Fewer rows are handed over in no time."""

# A larger share of the rows is not worth another table.
_MOST = 0.6
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_SIGNS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_COMPARE: Mapping[str, Callable[[pl.Series, Any], pl.Series]] = {
    "=": lambda column, value: column == value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}
# So many digits have one double, whichever way it is found.
_FRACTION = re.compile(r"-?\d{0,15}\.?\d{0,15}")
_DIGITS = 15
_WHOLE = 2**53
_INFINITE = float("inf")


@dataclass(frozen=True)
class _Comparison:
    column: str
    sign: str
    value: str | int | float

    def holds(self, frame: pl.DataFrame) -> pl.Series:
        """True where it is so; a missing value is null or false."""
        column = frame.get_column(self.column)
        found = _COMPARE[self.sign](column, self.value)
        if column.dtype.is_float() and self.sign in (">", ">="):
            # Not a number lies above all others here, and is missing there.
            found &= column <= _INFINITE
        return found


@dataclass(frozen=True)
class _Narrower:
    """What gives the same as a query: another one, over rows and columns of one of its tables."""

    query: str
    table: str
    comparisons: tuple[_Comparison, ...]
    columns: tuple[str, ...]


_Key = tuple[str, tuple[tuple[str, tuple[tuple[str, pl.DataType], ...]], ...]]
# By the query and the columns of its tables; working it out takes as long as a short query.
_known: dict[_Key, _Narrower | None] = {}
_KEPT = 64


def narrowed(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    tables: Mapping[str, pl.DataFrame],
    *,
    least: int = LEAST,
) -> tuple[str, Mapping[str, pl.DataFrame]]:
    """A query and tables that give the same with less to hand over; those given where there are none."""
    if all(frame.height < least for frame in tables.values()):
        return query, tables
    key = query, tuple((name, tuple(frame.schema.items())) for name, frame in tables.items())
    if key not in _known:
        if len(_known) >= _KEPT:
            _known.clear()
        _known[key] = _narrower(connection, query, tables)
    found = _known[key]
    if found is None:
        return query, tables
    frame = tables[found.table]
    if frame.height < least or is_large(frame):
        return query, tables
    values = frame.height * len(found.comparisons)
    masks = side_by_side(lambda one: one.holds(frame), found.comparisons, values=values)
    chosen = masks[0]
    for mask in masks[1:]:
        chosen = chosen & mask
    if (chosen.sum() or 0) > _MOST * frame.height:
        return query, tables
    rows = rows_where(frame[list(found.columns)], chosen)
    return found.query, {**tables, found.table: rows}


def _narrower(
    connection: duckdb.DuckDBPyConnection, query: str, tables: Mapping[str, pl.DataFrame]
) -> _Narrower | None:
    document = _parsed(connection, query)
    select = _only_select(document)
    name = str(select["from_table"]["table_name"]).lower() if select else ""
    if select is None or name not in tables:
        return None
    told, left = _told_apart(select, tables[name])
    if not told:
        return None
    select["where_clause"] = left
    asked = "SELECT json_deserialize_sql(?)"
    shorter = str(connection.execute(asked, [json.dumps(document)]).fetchall()[0][0])
    return _Narrower(shorter, name, tuple(told), tuple(_read(select, tables[name])))


def _parsed(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    told = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
    return json.loads(told[0][0])


def _only_select(document: Any) -> dict[str, Any] | None:
    """The SELECT of a statement that reads one table once and has no other within it."""
    statements = document.get("statements") or [{}]
    select = statements[0].get("node") or {}
    source = select.get("from_table") or {}
    plain = (
        len(statements) == 1
        and select.get("type") == "SELECT_NODE"
        and not select.get("sample")
        and (select.get("cte_map") or {}).get("map") == []
        and source.get("type") == "BASE_TABLE"
        and not any(source.get(word) for word in _UNUSUAL)
        and isinstance(select.get("where_clause"), dict)
    )
    if not plain or any(_is_another(node) for node in _nodes(select) if node is not source):
        return None
    found: dict[str, Any] = select
    return found


_UNUSUAL = ("sample", "schema_name", "catalog_name", "column_name_alias", "at_clause")


def _is_another(node: Mapping[str, Any]) -> bool:
    return "SUBQUERY" in (node.get("class"), node.get("type")) or node.get("type") in (
        "BASE_TABLE",
        "TABLE_FUNCTION",
        "CTE_NODE",
        "VALUE_PARAMETER",
    )


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _nodes(one)


def _told_apart(
    select: Mapping[str, Any], frame: pl.DataFrame
) -> tuple[list[_Comparison], dict[str, Any] | None]:
    """The comparisons of WHERE that are made here, and what is left of it."""
    where = select["where_clause"]
    joined = where.get("type") == "CONJUNCTION_AND"
    names = _names(select, frame)
    told: list[_Comparison] = []
    left: list[Any] = []
    for term in where["children"] if joined else [where]:
        found = _comparison(term, names, frame)
        if found is None:
            left.append(term)
        else:
            told.append(found)
    if len(left) > 1:
        return told, {**where, "children": left}
    return told, left[0] if left else None


def _names(select: Mapping[str, Any], frame: pl.DataFrame) -> dict[str, str]:
    """Columns by their names as SQL takes them; none that something else goes by, too."""
    taken = {str(one.get("alias", "")).lower() for one in select["select_list"]}
    found: dict[str, list[str]] = {}
    for column in frame.columns:
        found.setdefault(column.lower(), []).append(column)
    return {n: own[0] for n, own in found.items() if len(own) == 1 and n not in taken}


def _comparison(
    term: Mapping[str, Any], names: Mapping[str, str], frame: pl.DataFrame
) -> _Comparison | None:
    sign = _SIGNS.get(str(term.get("type")))
    if sign is None or term.get("class") != "COMPARISON":
        return None
    left, right = term["left"], term["right"]
    if left.get("class") == "CONSTANT":
        left, right, sign = right, left, _MIRRORED[sign]
    path = left.get("column_names") or []
    if left.get("class") != "COLUMN_REF" or right.get("class") != "CONSTANT" or len(path) != 1:
        return None
    column = names.get(str(path[0]).lower())
    literal = right.get("literal") or {}
    if column is None:
        return None
    value = _value(literal.get("kind"), str(literal.get("text")), frame.schema[column], sign)
    return None if value is None else _Comparison(column, sign, value)


def _value(kind: object, text: str, dtype: pl.DataType, sign: str) -> str | int | float | None:
    """The constant, where comparing a column of that type with it means the same here."""
    if kind == "STRING" and dtype == pl.String and sign == "=":
        return text
    if kind == "INTEGER" and (dtype == pl.Int64 or dtype == pl.Float64):
        number = int(text)
        return number if abs(number) <= _WHOLE else None
    if kind == "NUMERIC" and dtype == pl.Float64 and _FRACTION.fullmatch(text):
        return float(text) if sum(map(str.isdigit, text)) <= _DIGITS else None
    return None


def _read(select: Mapping[str, Any], frame: pl.DataFrame) -> list[str]:
    """The columns that the query reads: those it names, or all unless each name in it is one."""
    known = {column.lower() for column in frame.columns}
    read: set[str] = set()
    for node in _nodes(select):
        if node.get("class") in ("STAR", "POSITIONAL_REFERENCE"):
            return frame.columns
        if node.get("class") == "COLUMN_REF":
            path = {str(part).lower() for part in node["column_names"]}
            if not path & known:
                return frame.columns
            read |= path
    # A query that names none counts rows, for which some column must be there.
    return [c for c in frame.columns if c.lower() in read] or frame.columns[:1]
