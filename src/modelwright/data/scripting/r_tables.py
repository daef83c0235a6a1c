"""Tables as files that base R reads and writes: exact numbers, and texts with their lengths."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from modelwright.data.schema import Column, ColumnType
from modelwright.data.table import Table

DOUBLE, INTEGER, LOGICAL, TEXT, FACTOR, MOMENT = range(1, 7)

_COUNT = struct.Struct("=i")
# R's missing number is one of the values that are not a number, told by its lower half.
_NA_DOUBLE = np.uint64(0x7FF00000000007A2)
_NA_LOW = np.uint64(1954)
_NA_INTEGER = -(2**31)
_LARGEST_INTEGER = 2**31 - 1


def write_table(table: Table, path: Path) -> None:
    """Write a table for R.  Whole numbers beyond 31 bits are doubles there, as R has no others."""
    with path.open("wb") as file:
        file.write(_COUNT.pack(table.rows))
        _write_texts(pl.Series(list(table.schema.names), dtype=pl.String), file)
        for column, series in zip(table.schema, table.frame.iter_columns(), strict=True):
            _write(column, series.alias("values"), file)


def read_table(path: Path, like: tuple[Table | None, ...]) -> Table:
    """The table that R wrote.

    like: tables whose marks hold for columns of the same names; a column that was Integer there and
    is whole is Integer again.  A factor is categorical text.
    """
    columns: list[pl.Series] = []
    factors: list[str] = []
    with path.open("rb") as file:
        (rows,) = _COUNT.unpack(file.read(_COUNT.size))
        names = _read_texts(file).to_list()
        for name in names:
            (kind,) = _COUNT.unpack(file.read(_COUNT.size))
            columns.append(_read(kind, rows, file).alias(name))
            if kind == FACTOR:
                factors.append(name)
    marks: dict[str, Column] = {}
    for table in reversed(like):
        if table is not None:
            columns = [_whole_again(series, table) for series in columns]
            marks.update({column.name: column for column in table.schema})
    return Table(pl.DataFrame(columns), list(marks.values())).mark(*factors, categorical=True)


def _write(column: Column, series: pl.Series, file: BinaryIO) -> None:
    missing = series.is_null().to_numpy()
    match column.type:
        case ColumnType.BOOLEAN:
            numbers = series.cast(pl.Int32).fill_null(_NA_INTEGER)
            _put(LOGICAL, numbers.to_numpy(), file)
        case ColumnType.INTEGER if _is_small(series):
            _put(INTEGER, series.cast(pl.Int32).fill_null(_NA_INTEGER).to_numpy(), file)
        case ColumnType.INTEGER | ColumnType.DOUBLE:
            _put(DOUBLE, _with_missing(series.cast(pl.Float64), missing), file)
        case ColumnType.DATETIME:
            seconds = series.dt.timestamp("us").cast(pl.Float64) / 1e6
            _put(MOMENT, _with_missing(seconds, missing), file)
        case _:
            file.write(_COUNT.pack(FACTOR if column.categorical else TEXT))
            text = series if series.dtype == pl.String else _as_text(series)
            _write_texts(text, file)


def _is_small(series: pl.Series) -> bool:
    low, high = series.min(), series.max()
    return low is None or (int(low) > _NA_INTEGER and int(high) <= _LARGEST_INTEGER)  # type: ignore[arg-type]  # whole numbers


def _with_missing(series: pl.Series, missing: np.ndarray) -> np.ndarray:
    numbers = series.fill_null(0.0).to_numpy().copy()
    numbers.view(np.uint64)[missing] = _NA_DOUBLE
    return numbers


def _as_text(series: pl.Series) -> pl.Series:
    return pl.Series([None if v is None else str(v) for v in series.to_list()], dtype=pl.String)


def _put(kind: int, numbers: np.ndarray, file: BinaryIO) -> None:
    file.write(_COUNT.pack(kind))
    file.write(np.ascontiguousarray(numbers).tobytes())


def _write_texts(texts: pl.Series, file: BinaryIO) -> None:
    # R's texts end at a zero byte.
    texts = texts.alias("texts").str.replace_all("\0", "", literal=True)
    file.write(_COUNT.pack(len(texts)))
    if len(texts):
        lengths = texts.str.len_bytes().cast(pl.Int32).fill_null(-1)
        file.write(lengths.to_numpy().tobytes())
    for part in texts.to_frame().iter_slices(100_000):
        file.write("".join(t for t in part.to_series().to_list() if t).encode())


def _read_texts(file: BinaryIO) -> pl.Series:
    (count,) = _COUNT.unpack(file.read(_COUNT.size))
    lengths = np.frombuffer(file.read(4 * count), dtype=np.int32)
    sizes = np.maximum(lengths, 0)
    content = file.read(int(sizes.sum()))
    ends = np.cumsum(sizes)
    return pl.Series(
        [
            None if length < 0 else content[end - length : end].decode("utf-8", "replace")
            for length, end in zip(lengths.tolist(), ends.tolist(), strict=True)
        ],
        dtype=pl.String,
    )


def _read(kind: int, rows: int, file: BinaryIO) -> pl.Series:
    if kind in (TEXT, FACTOR):
        return _read_texts(file)
    if kind in (INTEGER, LOGICAL):
        numbers = np.frombuffer(file.read(4 * rows), dtype=np.int32)
        found = pl.Series(numbers.astype(np.int64))
        found = found.set(pl.Series(numbers == _NA_INTEGER), None)
        return found.cast(pl.Boolean) if kind == LOGICAL else found
    doubles = np.frombuffer(file.read(8 * rows), dtype=np.float64)
    low = doubles.view(np.uint64) & np.uint64(0xFFFFFFFF)
    missing = np.isnan(doubles) & ((low == _NA_LOW) | (kind == MOMENT))
    found = pl.Series(np.where(missing, 0.0, doubles)).set(pl.Series(missing), None)
    if kind == DOUBLE:
        return found
    return (found * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us"))


def _whole_again(series: pl.Series, table: Table) -> pl.Series:
    if series.name not in table.schema or series.dtype != pl.Float64:
        return series
    if table.schema.column(series.name).type is not ColumnType.INTEGER:
        return series
    plain = series.alias("values")
    whole = plain.cast(pl.Int64, strict=False)
    same = whole.cast(pl.Float64).eq_missing(plain).all()
    return whole.alias(series.name) if same else series
