"""Arrow files of tables: equal rows give equal bytes, and a large file is mapped, not read.

The layout is fixed by the values alone, so that a digest names a table whatever made it: batches of
`BATCH` rows; zero below every missing value; no mask where nothing is missing; text column by
column either as codes of a dictionary in order of first appearance (few different values, which is
a fraction of the size) or as plain text.  Any program that reads Arrow reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.data.column_names import all_named, named

if TYPE_CHECKING:
    import numpy as np

BATCH = 1 << 20
"""Rows in a batch; what is copied while writing is bounded by it."""

_SAMPLE = 10_000
_FEW = 4  # A dictionary pays when each value comes this many times or more.
_MOST_CODES = 1 << 16
# Below this a plain read is quicker than starting pyarrow.
_SMALL = 1 << 20
_CODES = (pl.UInt8, pl.UInt16, pl.UInt32)
_UNDER_NULL: dict[pl.DataType, Any] = {pl.String(): "", pl.Boolean(): False}


@dataclass(frozen=True)
class Coded:
    """A frame whose text of few different values is held as codes, as the file has it.

    frame: columns in order; those in `dictionaries` hold whole numbers, the place of the value.
    """

    frame: pl.DataFrame
    dictionaries: dict[str, pl.Series]

    def text(self, name: str) -> pl.Expr:
        """The values of a coded column, as text."""
        return pl.lit(self.dictionaries[name]).gather(named(name)).alias(name)

    def decode(self, frame: pl.DataFrame | None = None) -> pl.DataFrame:
        """The whole frame, or some of its rows, with text in place of codes."""
        rows = self.frame if frame is None else frame
        coded = [name for name in rows.columns if name in self.dictionaries]
        return rows.with_columns([self.text(name) for name in coded]) if coded else rows


def write(frame: pl.DataFrame, path: Path, *, notes: Mapping[str, str] | None = None) -> None:
    """Write an uncompressed Arrow file, with notes in its metadata.  Raises OSError."""
    import pyarrow as pa

    codes, dictionaries = _encode(frame)
    coded = frame.with_columns(codes.get_columns())
    values = {name: _text(dictionary) for name, dictionary in dictionaries.items()}
    starts = range(0, max(frame.height, 1), BATCH)
    first = _arrays(coded.slice(0, BATCH), values)
    fields = [pa.field(name, a.type) for name, a in zip(frame.columns, first, strict=True)]
    schema = pa.schema(fields, metadata=dict(notes) if notes else None)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as out:
        out.write_batch(pa.record_batch(first, schema=schema))
        # One batch in memory at a time: the table may be larger than it.
        del first
        for start in starts[1:]:
            rows = coded.slice(start, BATCH)
            out.write_batch(pa.record_batch(_arrays(rows, values), schema=schema))


def read(path: Path) -> pl.DataFrame:
    """The frame of a file; a large one is mapped, so only what is used is read.

    Raises OSError, ValueError or PolarsError when the file is not whole.
    """
    return read_coded(path).decode()


def read_coded(path: Path) -> Coded:
    """As `read`, with codes left as they are: nothing is copied."""
    if path.stat().st_size < _SMALL or not find_spec("pyarrow"):
        # A dictionary's values come as text: only the codes stay in this module.
        frame = pl.read_ipc(path)
        return Coded(frame.with_columns(pl.col(pl.Categorical).cast(pl.String)), {})
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    dictionaries: dict[str, pl.Series] = {}
    columns: list[Any] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            dictionaries[name] = pl.Series(column.chunk(0).dictionary)
            column = pa.chunked_array([chunk.indices for chunk in column.chunks])
        columns.append(column)
    # Joined batches would be copies in memory, and the file need not fit there.
    mapped = pl.from_arrow(pa.table(columns, names=table.column_names), rechunk=False)
    if not isinstance(mapped, pl.DataFrame):
        raise ValueError("the file holds no table")
    return Coded(mapped, dictionaries)


def _encode(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Codes of the text columns that have few different values, and those values in order."""
    known: dict[str, pl.Series] = {}
    for series in frame.iter_columns():
        if series.dtype == pl.String and series.len() >= _SAMPLE:
            values = _distinct(series.head(_SAMPLE))
            if values.len() * _FEW <= _SAMPLE:
                known[series.name] = values
    codes = _codes(frame, known)
    # Values that the first rows do not show leave a hole; only then are all rows asked.
    more = [n for n in known if codes[n].null_count() > frame[n].null_count()]
    for name in more:
        values = _distinct(frame[name])
        if values.len() > min(_MOST_CODES, frame.height // _FEW):
            del known[name]
        else:
            known[name] = values
    again = {name: known[name] for name in more if name in known}
    return codes.with_columns(_codes(frame, again).get_columns()), known


def _distinct(series: pl.Series) -> pl.Series:
    # Polars looks the column up by its name, which may look like a pattern.
    return series.alias("values").unique(maintain_order=True).drop_nulls()


def _codes(frame: pl.DataFrame, known: Mapping[str, pl.Series]) -> pl.DataFrame:
    return frame.select(
        named(name).cast(pl.Enum(values), strict=False).to_physical()
        for name, values in known.items()
    )


def _arrays(rows: pl.DataFrame, dictionaries: Mapping[str, Any]) -> list[Any]:
    """The columns as Arrow arrays whose every byte is given by the values."""
    missing = {series.name: series.null_count() for series in rows.iter_columns()}
    holes = [name for name, count in missing.items() if count]
    masks = {m.name: _bits(m.to_numpy()) for m in rows.select(all_named(holes).is_not_null())}
    filled = rows.with_columns(
        named(name).to_physical().fill_null(_UNDER_NULL.get(dtype, 0))
        for name, dtype in rows.schema.items()
        if _is_plain(dtype) and (name in masks or isinstance(dtype, pl.Datetime))
    )
    return [
        _array(filled[name], dtype, masks.get(name), missing[name], dictionaries.get(name))
        for name, dtype in rows.schema.items()
    ]


def _array(series: pl.Series, dtype: pl.DataType, mask: Any, missing: int, dictionary: Any) -> Any:
    import pyarrow as pa

    if not _is_plain(dtype):
        return series.to_arrow()
    if dtype == pl.String:
        _, *content = _text(series).buffers()
        kind = pa.large_string()
    elif dtype == pl.Boolean:
        content, kind = [_bits(series.to_numpy())], pa.bool_()
    else:
        numbers = series.to_numpy()
        content, kind = [pa.py_buffer(numbers)], pa.from_numpy_dtype(numbers.dtype)
    if isinstance(dtype, pl.Datetime):
        kind = pa.timestamp(dtype.time_unit, dtype.time_zone)
    array = pa.Array.from_buffers(kind, len(series), [mask, *content], missing)
    return array if dictionary is None else pa.DictionaryArray.from_arrays(array, dictionary)


def _is_plain(dtype: pl.DataType) -> bool:
    """Whether the layout of a type is made here; that of the others is left to Polars."""
    return dtype in (pl.String, pl.Boolean, pl.Int64, pl.Float64, *_CODES) or isinstance(
        dtype, pl.Datetime
    )


def _text(series: pl.Series) -> Any:
    return series.to_arrow(compat_level=pl.CompatLevel.oldest())


def _bits(flags: np.ndarray) -> Any:
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(np.packbits(flags, bitorder="little"))
