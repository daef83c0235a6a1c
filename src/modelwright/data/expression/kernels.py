"""Work on whole columns that Polars has no expression for, in NumPy or value by value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from modelwright.data.expression.gaps import beneath
from modelwright.data.few_values import numbered
from modelwright.data.native import Evaluator
from modelwright.data.side_by_side import side_by_side

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector

Work = Callable[[Sequence["Vector"], "Vector"], "Vector"]
"""From a block of each leaf to the result, which it may write into its second argument, a block, too."""

# Few enough doubles to stay in the processor's cache while all terms are added.
_SUM_BLOCK = 16_384
# Larger blocks take more memory, smaller ones more turns of threads at the interpreter.
_VECTOR_BLOCK = 262_144
# A single function takes none, so that it need not return to the interpreter soon.
_PLAIN_BLOCK = 1 << 20
# Comparing with each of so many edges is quicker than searching among them.
_FEW_EDGES = 64
# Bounds the memory of the matrix that a native value gets.
_NATIVE_BLOCK = 65_536
# Below that, finding the distinct values costs more than it saves.
_DISTINCT_FROM = 64
# Values that come so often on average are few.
_REPEATED = 4
_EARLIEST = datetime(1, 1, 1)  # noqa: DTZ001  # naive by definition: all are in UTC
_LATEST = datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001


def weighted_sum(
    columns: Sequence[pl.Series], weights: Sequence[float], intercept: float
) -> pl.Series:
    """The intercept + columns[0] * weights[0] + …, added in that order; null where any is null."""
    rows = len(columns[0])
    total = np.full(rows, intercept, dtype=np.float64)
    scratch = np.empty(min(rows, _SUM_BLOCK), dtype=np.float64)
    vectors = [doubles(c) for c in columns]
    for start in range(0, rows, _SUM_BLOCK):
        part = total[start : start + _SUM_BLOCK]
        product = scratch[: len(part)]
        # Infinities and numbers too large are results here, not accidents.
        with np.errstate(all="ignore"):
            for vector, weight in zip(vectors, weights, strict=True):
                if weight == 1.0:
                    np.add(part, vector[start : start + _SUM_BLOCK], out=part)
                else:
                    np.multiply(vector[start : start + _SUM_BLOCK], weight, out=product)
                    np.add(part, product, out=part)
    return with_nulls(pl.Series(total), columns)


def buckets(
    column: pl.Series, edges: Sequence[float], closed: str, labels: pl.Series | None
) -> pl.Series:
    """The label, or the number from 0, of the interval of each double; null for null and NaN."""
    values = _beneath(column)
    # Labels that are no numbers, or of which some are missing, are taken by their places.
    plain = labels is None or (labels.dtype.is_numeric() and not labels.null_count())
    names = labels.to_numpy() if labels is not None and plain else None
    first = _counted_from(names)
    found = np.empty(len(values), dtype=np.int64 if names is None else names.dtype)

    def block(start: int) -> None:
        places = _places(values[start : start + _VECTOR_BLOCK], edges, closed)
        part = found[start : start + _VECTOR_BLOCK]
        if names is None or first is not None:
            np.add(places, first or 0, out=part, dtype=np.int64)
        else:
            part[:] = names[places]

    side_by_side(block, range(0, len(values), _VECTOR_BLOCK), values=len(values))
    placed = nothing_where_missing(column, _with_their_nulls(found, [column]))
    return placed if labels is None or plain else labels.gather(placed)


def _counted_from(labels: Vector | None) -> int | None:
    """The first label, where the others are the numbers that follow it."""
    if labels is None or labels.dtype != np.int64 or not 0 <= labels[0] < 2**31:
        return None
    return int(labels[0]) if (np.diff(labels) == 1).all() else None


def _places(values: Vector, edges: Sequence[float], closed: str) -> Vector:
    """How many edges lie below each value, or at it where intervals are closed at the left."""
    if len(edges) > _FEW_EDGES:
        side: Literal["left", "right"] = "right" if closed == "left" else "left"
        found: Vector = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side=side)
        # Not a number lies beyond all edges, so it has a place that its label is not asked for.
        return found
    compare = np.greater_equal if closed == "left" else np.greater
    counts, beyond = np.zeros(len(values), np.int8), np.empty(len(values), np.bool_)
    for edge in edges:
        compare(values, edge, out=beyond)
        counts += beyond.view(np.int8)
    return counts


def native_outputs(
    columns: Sequence[pl.Series], evaluator: Evaluator, outputs: Sequence[int]
) -> pl.Series:
    """The wanted outputs of a native value as one structure column with fields "0", "1" and so on."""
    rows = len(columns[0])
    vectors = [doubles(c) for c in columns]
    wanted = {str(o): np.empty(rows, dtype=np.float64) for o in outputs}
    for start in range(0, rows, _NATIVE_BLOCK):
        stop = min(start + _NATIVE_BLOCK, rows)
        matrix = np.empty((stop - start, len(vectors)), dtype=np.float64)
        for at, vector in enumerate(vectors):
            matrix[:, at] = vector[start:stop]
        found = evaluator.batch(matrix)
        for output in outputs:
            wanted[str(output)][start:stop] = found[:, output]
    return pl.DataFrame(wanted).to_struct("native")


def fused(
    leaves: Sequence[pl.Series], work: Work, gives: pl.DataType, *, plain: bool = False
) -> pl.Series:
    """NumPy functions within each other over columns of doubles; null where any column is null.

    plain: it is one function, which takes no memory beside its result.
    """
    vectors = [_beneath(leaf) for leaf in leaves]
    rows = len(vectors[0])
    found: Vector = np.empty(rows, dtype=np.bool_ if gives == pl.Boolean else np.float64)

    size = _PLAIN_BLOCK if plain else _VECTOR_BLOCK

    def block(start: int) -> None:
        place = found[start : start + size]
        # Of each thread its own.
        with np.errstate(all="ignore"):
            made = work([vector[start : start + size] for vector in vectors], place)
            if made is not place:
                place[:] = made

    side_by_side(block, range(0, rows, size), values=rows)
    return _with_their_nulls(found, leaves)


def nothing_where_missing(term: pl.Series, result: pl.Series) -> pl.Series:
    """The result, null where the term is null or not a number."""
    if term.null_count() and not (term.is_not_null() | result.is_null()).all():
        result = result.set(term.is_null(), None)
    if term.dtype.is_float():
        lost = term.is_nan()
        result = result.set(lost.fill_null(value=True), None) if lost.any() else result
    return result


def chosen(condition: pl.Series, then: float, otherwise: float, gives: pl.DataType) -> pl.Series:
    """One number where the condition is true, and another elsewhere."""
    if condition.null_count():
        condition = condition.fill_null(value=False)
    dtype = np.int64 if gives == pl.Int64 else np.float64
    numbers = condition.to_numpy()
    if dtype is np.int64 and (then, otherwise) == (1, 0):
        return pl.Series(numbers.astype(dtype))
    return pl.Series(np.where(numbers, dtype(then), dtype(otherwise)))


def each(
    arguments: Sequence[pl.Series | object], row: Callable[..., object], gives: pl.DataType
) -> pl.Series:
    """The row form of a function over columns; an argument that is no column is the same everywhere.

    Null where any argument is null.
    """
    columns = [a for a in arguments if isinstance(a, pl.Series)]
    if any(a is None for a in arguments):
        return _nulls(len(columns[0]), gives)
    alone = columns[0] if len(columns) == 1 and len(columns[0]) >= _DISTINCT_FROM else None
    if alone is not None and (few := numbered(alone, most=len(alone) // _REPEATED)):
        one = [few.values if a is alone else a for a in arguments]
        return few.by_row(_one_by_one(one, row, gives))
    if alone is not None and alone.dtype == pl.String:
        distinct = alone.unique().drop_nulls()
        if 2 * len(distinct) <= len(alone):
            found = _one_by_one([distinct if a is alone else a for a in arguments], row, gives)
            return alone.replace_strict(distinct, found, default=None, return_dtype=gives)
    return _one_by_one(arguments, row, gives)


def _one_by_one(
    arguments: Sequence[pl.Series | object], row: Callable[..., object], gives: pl.DataType
) -> pl.Series:
    lists = [_values(a) if isinstance(a, pl.Series) else repeat(a) for a in arguments]
    if not any(isinstance(found, list) and None in found for found in lists):
        return pl.Series(list(map(row, *lists)), dtype=gives)
    if len(lists) == 1:
        return pl.Series([None if v is None else row(v) for v in lists[0]], dtype=gives)
    together = zip(*lists, strict=False)
    return pl.Series([None if None in values else row(*values) for values in together], dtype=gives)


def doubles(column: pl.Series) -> Vector:
    """The column as float64, NaN where null; no copy when it holds doubles without nulls."""
    values = column.cast(pl.Float64)
    # Quicker than leaving the gaps to `to_numpy`.
    return (values.fill_null(np.nan) if values.null_count() else values).to_numpy()


def _beneath(column: pl.Series) -> Vector:
    """The column as float64 without a copy where it holds doubles; anything where it is null."""
    return beneath(column.cast(pl.Float64))


def _with_their_nulls(found: Vector, leaves: Sequence[pl.Series]) -> pl.Series:
    """The values, null wherever any of the columns is; where only one has nulls, by its own mask."""
    lacking = [leaf for leaf in leaves if leaf.null_count()]
    plain = found.dtype in (np.float64, np.int64)
    if len(lacking) != 1 or not plain or lacking[0].n_chunks() > 1:
        return with_nulls(pl.Series(found), leaves)
    import pyarrow as pa

    array = lacking[0].to_arrow()
    if array.offset:
        return with_nulls(pl.Series(found), leaves)
    buffers = [array.buffers()[0], pa.py_buffer(found)]
    kind = pa.float64() if found.dtype == np.float64 else pa.int64()
    return pl.Series(pa.Array.from_buffers(kind, len(found), buffers))


def with_nulls(result: pl.Series, columns: Sequence[pl.Series]) -> pl.Series:
    """The result with null wherever any of the columns is null."""
    lost: pl.Series | None = None
    for column in columns:
        if column.null_count():
            lost = column.is_null() if lost is None else lost | column.is_null()
    return result if lost is None else result.set(lost, None)


def _nulls(rows: int, dtype: pl.DataType) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, rows)


def _values(column: pl.Series) -> list[Any]:
    if column.dtype == pl.Datetime:
        # Python's date-times end where those of Polars go on.
        column = column.set(~column.is_between(_EARLIEST, _LATEST), None)
    return column.to_list()
