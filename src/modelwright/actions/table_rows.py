"""Look at the rows of a stored table, a page at a time, in any order and through a filter."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.schema import Column, ColumnType
from modelwright.data.store import Store
from modelwright.data.table import Table

if TYPE_CHECKING:
    import polars as pl

Operator = Literal[
    "equals", "differs", "less", "at-most", "more", "at-least",
    "contains", "starts-with", "one-of", "missing", "present",
]  # fmt: skip

LONGEST_TEXT = 2_000
"""Characters of a value that are given; a longer one is cut and ends with an ellipsis."""

_EXACT = 2**53
_KEPT_TABLES, _KEPT_ORDERS = 8, 16

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class NoRows(ModelwrightError):
    """Rows are asked of a value that has none."""

    code = "no-rows"

    def __init__(self, digest: str, kind: str) -> None:
        super().__init__(
            f'The value {digest[:19]}… is of the kind "{kind}", which has no rows.',
            remedy="Look at its content instead, or choose a port that carries a table.",
            digest=digest,
            kind=kind,
        )


class InvalidFilter(ModelwrightError):
    """A filter cannot be applied to its column."""

    code = "invalid-filter"

    def __init__(self, column: str, operator: str, why: str) -> None:
        super().__init__(
            f'The filter "{operator}" on column "{column}" cannot be applied: {why}.',
            remedy="Give a value of the column's type, or choose another comparison.",
            column=column,
            operator=operator,
            why=why,
        )


@dataclass(frozen=True, slots=True)
class Sorting:
    """A column to sort by; missing values come last either way."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that rows must meet.

    value: of the column's type, times as ISO text; a tuple for "one-of"; none for "missing" and
    "present".  "contains" and "starts-with" compare the value's text without regard to case.
    """

    column: str
    operator: Operator
    value: Any = None


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    total: rows that meet the filter.  rows: values in the order of `columns`, as `data.json_values`
    has them; whole numbers beyond 2^53 are text, since JavaScript would lose digits.
    numbers: place of each row in the whole table, from 0.  cut: how many values were shortened.
    """

    total: int
    offset: int
    columns: tuple[Column, ...]
    numbers: list[int]
    rows: list[list[Any]]
    cut: int


class TableRows:
    """Reads rows of stored tables; tables and orders that were wanted lately are kept at hand."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables: _Kept[Digest, Table] = _Kept(_KEPT_TABLES)
        self._orders: _Kept[Hashable, pl.Series] = _Kept(_KEPT_ORDERS)

    def table(self, digest: Digest) -> Table:
        """A stored table.  Raises NoRows, and what `Store.get` raises."""
        return self._tables.get(digest, lambda: load_table(self._store, digest))

    def read(
        self,
        digest: Digest,
        *,
        offset: int = 0,
        limit: int = 100,
        columns: Sequence[str] | None = None,
        sort: Sequence[Sorting] = (),
        filters: Sequence[Filter] = (),
    ) -> Rows:
        """The rows from `offset` on among those that meet all filters, sorted.

        columns: only these, in this order.  Raises MissingColumn and InvalidFilter, and what `table`
        raises.
        """
        import polars as pl

        table = self.table(digest)
        schema = table.schema
        chosen = schema.keep([schema.column(n).name for n in columns]) if columns else schema
        if sort or filters:
            key = (digest, tuple(sort), tuple(filters))
            order = self._orders.get(key, lambda: _order(table, sort, filters))
            total, numbers = len(order), order.slice(offset, limit)
            frame = table.frame[list(chosen.names)][numbers]
        else:
            total = table.rows
            frame = table.frame[list(chosen.names)].slice(offset, limit)
            numbers = pl.int_range(offset, offset + frame.height, eager=True)
        values, cut = [], 0
        for name in chosen.names:
            shown, shortened = _shown(frame[name])
            values.append(shown)
            cut += shortened
        rows = [list(row) for row in zip(*values, strict=True)]
        return Rows(total, offset, chosen.columns, numbers.to_list(), rows, cut)


def load_table(store: Store, digest: Digest) -> Table:
    """A stored table.  Raises NoRows, and what `Store.get` raises."""
    kind = store.manifest(digest).kind
    value = store.get(digest) if kind in (Table.kind, "folded-table") else None
    if not isinstance(value, Table):
        raise NoRows(digest, kind)
    return value


def _order(table: Table, sort: Sequence[Sorting], filters: Sequence[Filter]) -> pl.Series:
    """The numbers of the rows that meet the filters, sorted."""
    import polars as pl

    schema = table.schema
    needed = list(dict.fromkeys([s.column for s in sort] + [f.column for f in filters]))
    for sorting in sort:
        if schema.column(sorting.column).type is ColumnType.OTHER:
            raise InvalidFilter(sorting.column, "sort", "its values have no order")
    # By number, since Polars takes some names for patterns.
    numbers = {schema.column(name).name: f"{place}" for place, name in enumerate(needed)}
    columns = [table.frame.get_column(name).alias(number) for name, number in numbers.items()]
    lazy = pl.DataFrame(columns).lazy().with_row_index("row")
    for wanted in filters:
        column = schema.column(wanted.column)
        dtype = table.frame.schema[column.name]
        zone = dtype.time_zone if isinstance(dtype, pl.Datetime) else None
        lazy = lazy.filter(_condition(column, zone, pl.col(numbers[column.name]), wanted))
    if sort:
        by = [pl.col(numbers[s.column]) for s in sort]
        # A number that is none sorts as missing, not as the largest.
        doubles = [schema.column(s.column).type is ColumnType.DOUBLE for s in sort]
        by = [
            key.fill_nan(None) if double else key for key, double in zip(by, doubles, strict=True)
        ]
        lazy = lazy.sort(
            by, descending=[s.descending for s in sort], nulls_last=True, maintain_order=True
        )
    return lazy.select("row").collect().to_series()


def _condition(column: Column, zone: str | None, values: pl.Expr, wanted: Filter) -> pl.Expr:
    import polars as pl

    missing = values.is_null()
    if column.type is ColumnType.DOUBLE:
        missing = missing | values.is_nan()
    if wanted.operator == "missing":
        return missing
    if wanted.operator == "present":
        return ~missing
    if column.type is ColumnType.OTHER:
        raise InvalidFilter(column.name, wanted.operator, "its values cannot be compared")
    if wanted.operator in ("contains", "starts-with"):
        text = values.cast(pl.String).str.to_lowercase()
        part = pl.lit(str(wanted.value).lower())
        if wanted.operator == "contains":
            return text.str.contains(part, literal=True)
        return text.str.starts_with(part)
    if wanted.operator == "one-of":
        if not isinstance(wanted.value, tuple):
            raise InvalidFilter(column.name, wanted.operator, "a list of values is needed")
        return values.is_in([_typed(column, zone, wanted, v) for v in wanted.value])
    value = pl.lit(_typed(column, zone, wanted, wanted.value))
    compared: dict[str, pl.Expr] = {
        "equals": values == value,
        "differs": values != value,
        "less": values < value,
        "at-most": values <= value,
        "more": values > value,
        "at-least": values >= value,
    }
    if wanted.operator not in compared:
        known = ", ".join(get_args(Operator))
        raise InvalidFilter(column.name, wanted.operator, f"comparisons are {known}")
    # Not-a-number is larger than every number to Polars; to people it is missing.
    return compared[wanted.operator] & ~missing


def _typed(column: Column, zone: str | None, wanted: Filter, value: Any) -> Any:
    """A value of a filter in the type of its column.  Raises InvalidFilter."""
    why = f"{value!r} is no {column.type.value} value"
    try:
        if column.type is ColumnType.STRING:
            return str(value)
        if column.type is ColumnType.BOOLEAN and isinstance(value, bool):
            return value
        if column.type is ColumnType.DATETIME:
            return _in_zone(datetime.fromisoformat(value), zone)
        if column.type.is_numeric and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number):
                return int(value) if number.is_integer() and abs(number) < 2**63 else number
    except (TypeError, ValueError):
        pass
    raise InvalidFilter(column.name, wanted.operator, why)


def _in_zone(moment: datetime, zone: str | None) -> datetime:
    """A time as a column has it: without a zone, or in the column's."""
    if zone is None:
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    there = ZoneInfo(zone)
    return moment.replace(tzinfo=there) if moment.tzinfo is None else moment.astimezone(there)


def _shown(values: pl.Series) -> tuple[list[Any], int]:
    """The values as JSON, and how many were shortened."""
    from modelwright.data.json_values import to_json

    shown = [to_json(value) for value in values.to_list()]
    if values.dtype.is_integer():
        return [v if v is None or -_EXACT <= v <= _EXACT else str(v) for v in shown], 0
    cut = 0
    for place, value in enumerate(shown):
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            shown[place] = value[: LONGEST_TEXT - 1] + "…"
            cut += 1
    return shown, cut


class _Kept(Generic[K, V]):
    """The values that were wanted last, a few of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return made
