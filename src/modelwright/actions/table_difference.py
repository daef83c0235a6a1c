"""What differs between two tables: their rows, their columns, and how values are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from modelwright.actions.table_rows import load_table
from modelwright.data.artifact import Digest
from modelwright.data.schema import Column, ColumnType
from modelwright.data.table import Table

if TYPE_CHECKING:
    import polars as pl

    from modelwright.actions.home import Home

ColumnChange = Literal["same", "changed", "retyped", "added", "removed"]

BINS = 20
LEVELS = 20


@dataclass(frozen=True, slots=True)
class Spread:
    """Figures of one side of a column; None where they make no sense for its type."""

    rows: int
    missing: int
    distinct: int
    mean: float | None
    deviation: float | None
    smallest: Any
    largest: Any


@dataclass(frozen=True, slots=True)
class Shares:
    """How values are spread on both sides, on one scale.

    edges: of numbers, one more than counts.  levels: of other values, the commonest of both sides.
    left and right: counts for each.
    """

    edges: tuple[float, ...]
    levels: tuple[str, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """How a column of the right table differs from that of the left.

    cells: rows in which the values differ; None unless both tables have as many rows.
    """

    name: str
    change: ColumnChange
    left: Column | None
    right: Column | None
    left_spread: Spread | None
    right_spread: Spread | None
    shares: Shares | None
    cells: int | None


@dataclass(frozen=True)
class TableDifference:
    """The right table as it differs from the left one; columns of the left first."""

    left_rows: int
    right_rows: int
    columns: tuple[ColumnDifference, ...]


def table_difference(home: Home, left: str, right: str) -> TableDifference:
    """Compare two stored tables, row by row where both have as many.  Raises NoRows."""
    one = load_table(home.store, Digest(left))
    other = load_table(home.store, Digest(right))
    names = dict.fromkeys([*one.schema.names, *other.schema.names])
    columns = tuple(_column(name, one, other) for name in names)
    return TableDifference(one.rows, other.rows, columns)


def _column(name: str, left: Table, right: Table) -> ColumnDifference:
    old, new = _values(left, name), _values(right, name)
    before = left.schema.column(name) if old is not None else None
    after = right.schema.column(name) if new is not None else None
    cells = None
    change: ColumnChange
    if old is None or new is None:
        change = "added" if old is None else "removed"
    elif before is not None and after is not None and before.type is not after.type:
        change = "retyped"
    else:
        if left.rows == right.rows:
            cells = int(old.ne_missing(new).sum())
        changed = left.rows != right.rows or bool(cells) or before != after
        change = "changed" if changed else "same"
    return ColumnDifference(
        name,
        change,
        before,
        after,
        _spread(before, old),
        _spread(after, new),
        _shares(before, old, after, new),
        cells,
    )


def _values(table: Table, name: str) -> pl.Series | None:
    return table.frame.get_column(name) if name in table.schema else None


def _spread(column: Column | None, values: pl.Series | None) -> Spread | None:
    if column is None or values is None:
        return None
    present = _present(values)
    numeric = column.type.is_numeric
    ordered = column.type is not ColumnType.OTHER and len(present) > 0
    mean, deviation = (present.mean(), present.std()) if numeric else (None, None)
    return Spread(
        len(values),
        len(values) - len(present),
        present.n_unique() if column.type is not ColumnType.OTHER else 0,
        float(mean) if isinstance(mean, int | float) else None,
        float(deviation) if isinstance(deviation, int | float) else None,
        _plain(present.min()) if ordered else None,
        _plain(present.max()) if ordered else None,
    )


def _present(values: pl.Series) -> pl.Series:
    return (values.fill_nan(None) if values.dtype.is_float() else values).drop_nulls()


def _plain(value: object) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _shares(
    before: Column | None, old: pl.Series | None, after: Column | None, new: pl.Series | None
) -> Shares | None:
    kinds = {c.type for c in (before, after) if c is not None}
    sides = [None if v is None else _present(v) for v in (old, new)]
    if ColumnType.OTHER in kinds or ColumnType.DATETIME in kinds:
        return None
    if all(kind.is_numeric for kind in kinds):
        return _histogram(sides)
    if any(kind.is_numeric for kind in kinds):
        return None
    return _levels(sides)


def _histogram(sides: Sequence[pl.Series | None]) -> Shares | None:
    import numpy as np

    numbers = [np.empty(0) if side is None else side.cast(float).to_numpy() for side in sides]
    finite = [side[np.isfinite(side)] for side in numbers]
    both = np.concatenate(finite)
    if not len(both):
        return None
    edges = np.histogram_bin_edges(both, bins=BINS)
    left, right = (np.histogram(side, bins=edges)[0].tolist() for side in finite)
    return Shares(tuple(edges.tolist()), (), tuple(left), tuple(right))


def _levels(sides: Sequence[pl.Series | None]) -> Shares:
    import polars as pl

    counts: list[dict[str, int]] = []
    for side in sides:
        frame = (side if side is not None else pl.Series([], dtype=pl.String)).cast(pl.String)
        found = frame.value_counts(name="count")
        counts.append(dict(found.iter_rows()))
    total = {level: sum(c.get(level, 0) for c in counts) for level in {**counts[0], **counts[1]}}
    levels = sorted(total, key=lambda level: (-total[level], level))[:LEVELS]
    left, right = (tuple(c.get(level, 0) for level in levels) for c in counts)
    return Shares((), tuple(levels), left, right)
