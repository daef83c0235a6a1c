"""Arrow files of tables: equal rows give equal bytes, and a large file is mapped, not read.

The layout is fixed by the values alone, so that a digest names a table whatever made it: batches of
`BATCH` rows; zero below every missing value; no mask where nothing is missing; text column by
column either as codes of a dictionary in order of first appearance (few different values, which is
a fraction of the size) or as plain text.  Any program that reads Arrow reads them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright import temporary
from modelwright.data.column_names import all_named, named
from modelwright.data.memory import is_large, would_be_large, written

if TYPE_CHECKING:
    import numpy as np

BATCH = 1 << 20
"""Rows in a batch; what is copied while writing is bounded by it."""

_SAMPLE = 10_000
_FEW = 4  # A dictionary pays when each value comes this many times or more.
_MOST_CODES = 1 << 16
# A text in memory takes so many bytes beside its own; so many are turned to text at a time.
_VIEW, _TURNED = 16, 16 << 20
# Texts whose bytes are gathered together, and where columns begin in a file that they are mapped from.
_TEXTS, _ALIGNED = 1 << 12, 64
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

    large = is_large(frame)
    if large:
        # Codes of all rows might not fit either; they are made again for each batch.
        codes, dictionaries = None, _dictionaries_in_parts(frame)
    else:
        codes, dictionaries = _encode(frame)
    values = {name: _text(dictionary) for name, dictionary in dictionaries.items()}
    starts = range(0, max(frame.height, 1), BATCH)

    def arrays(start: int) -> list[Any]:
        rows = frame.slice(start, BATCH)
        own = _codes(rows, dictionaries) if codes is None else codes.slice(start, BATCH)
        made = rows.with_columns(own.get_columns())
        return _arrays_by_file(made, values) if large else _arrays(made, values)

    first = arrays(0)
    fields = [pa.field(name, a.type) for name, a in zip(frame.columns, first, strict=True)]
    schema = pa.schema(fields, metadata=dict(notes) if notes else None)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as out:
        out.write_batch(pa.record_batch(first, schema=schema))
        # One batch in memory at a time: the table may be larger than it.
        del first
        for start in starts[1:]:
            out.write_batch(pa.record_batch(arrays(start), schema=schema))


def read(path: Path) -> pl.DataFrame:
    """The frame of a file; a large one is mapped, so only what is used is read.

    Text that would take much memory is mapped from a copy without a name, in the form that it has there.
    Raises OSError, ValueError or PolarsError when the file is not whole.
    """
    if path.stat().st_size >= _SMALL and find_spec("pyarrow"):
        import pyarrow as pa

        with pa.memory_map(str(path)) as file:
            opened = pa.ipc.open_file(file)
            if would_be_large(_bytes_of_text(opened, path.stat().st_size)):
                return written(_turned(opened))
    return read_coded(path).decode()


def _bytes_of_text(file: Any, size: int) -> int:
    """About how many bytes the text of an opened file would take in memory."""
    import pyarrow as pa

    kinds = [field.type for field in file.schema]
    plain = sum(bool(pa.types.is_string(k) or pa.types.is_large_string(k)) for k in kinds)
    coded = sum(bool(pa.types.is_dictionary(k)) for k in kinds)
    if not plain + coded:
        return 0
    rows = sum(int(file.get_batch(n).num_rows) for n in range(file.num_record_batches))
    return rows * _VIEW * (plain + coded) + (size if plain else 0)


def _turned(file: Any) -> Iterator[pl.DataFrame]:
    """The rows of an opened file, so many at a time that they take little."""
    for number in range(file.num_record_batches):
        batch = file.get_batch(number)
        a_row = _VIEW * batch.num_columns + batch.nbytes // max(1, batch.num_rows)
        step = max(1, _TURNED // max(1, a_row))
        for start in range(0, max(1, batch.num_rows), step):
            yield _unwrapped(batch.schema.names, batch.slice(start, step).columns).decode()


def read_coded(path: Path) -> Coded:
    """As `read`, with codes left as they are: nothing is copied."""
    if path.stat().st_size < _SMALL or not find_spec("pyarrow"):
        # A dictionary's values come as text: only the codes stay in this module.
        frame = pl.read_ipc(path)
        return Coded(frame.with_columns(pl.col(pl.Categorical).cast(pl.String)), {})
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    return _unwrapped(table.column_names, table.columns)


def _unwrapped(names: Sequence[str], held: Sequence[Any]) -> Coded:
    """Columns as they are in a file, with codes left as they are."""
    import pyarrow as pa

    dictionaries: dict[str, pl.Series] = {}
    columns: list[Any] = []
    for name, column in zip(names, held, strict=True):
        if pa.types.is_dictionary(column.type):
            chunks = [column] if isinstance(column, pa.Array) else column.chunks
            dictionaries[name] = pl.Series(chunks[0].dictionary)
            column = pa.chunked_array([chunk.indices for chunk in chunks])
        columns.append(column)
    # Joined batches would be copies in memory, and the file need not fit there.
    mapped = pl.from_arrow(pa.table(columns, names=names), rechunk=False)
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
    held = codes.select(all_named(list(known)))
    return held.with_columns(_codes(frame, again).get_columns()), known


def _dictionaries_in_parts(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """The values that `_encode` finds; a column is given up as soon as there are too many."""
    known: dict[str, pl.Series] = {}
    most = min(_MOST_CODES, frame.height // _FEW)
    for name, dtype in frame.schema.items():
        if dtype != pl.String or frame.height < _SAMPLE:
            continue
        values = _distinct(frame.get_column(name).head(_SAMPLE))
        if values.len() * _FEW > _SAMPLE:
            continue
        for start in range(0, frame.height, BATCH):
            part = frame.get_column(name).slice(start, BATCH)
            if _codes(part.to_frame(), {name: values})[name].null_count() > part.null_count():
                values = pl.concat([values, _distinct(part)]).unique(maintain_order=True)
            if values.len() > most:
                break
        else:
            known[name] = values
    return known


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


def _arrays_by_file(rows: pl.DataFrame, dictionaries: Mapping[str, Any]) -> list[Any]:
    """What `_arrays` gives, of columns that are made one after the other and mapped from a file."""
    import numpy as np
    import pyarrow as pa

    made: list[tuple[Any, list[tuple[int, int] | None]]] = []
    with tempfile.TemporaryFile(dir=temporary.place()) as file:

        def put(pieces: Iterable[Any]) -> tuple[int, int]:
            start = file.seek(-(-file.tell() // _ALIGNED) * _ALIGNED)
            for piece in pieces:
                file.write(piece)
            return start, file.tell() - start

        for name, dtype in rows.schema.items():
            column = rows.select(named(name))
            if dtype != pl.String:
                (array,) = _arrays(column, {})
                kept = array.buffers() if _is_plain(dtype) else []
                made.append(
                    (
                        array if not kept else array.type,
                        [None if b is None else put([b]) for b in kept],
                    )
                )
                continue
            held = column.to_series().is_not_null()
            mask = None if held.all() else put([_bits(held.to_numpy())])
            ends = [np.zeros(1, dtype=np.int64)]
            text = put(_texts(column, ends))
            made.append((pa.large_string(), [mask, put(ends), text]))
        size = file.tell()
        file.truncate(size)
        whole = pa.py_buffer(mmap(file.fileno(), size, access=ACCESS_READ) if size else b"")
    found = []
    for series, (kind, places) in zip(rows.iter_columns(), made, strict=True):
        array = kind
        if places:
            buffers = [None if place is None else whole.slice(*place) for place in places]
            array = pa.Array.from_buffers(kind, len(series), buffers, series.null_count())
        values = dictionaries.get(series.name)
        found.append(array if values is None else pa.DictionaryArray.from_arrays(array, values))
    return found


def _texts(column: pl.DataFrame, ends: list[np.ndarray]) -> Iterator[Any]:
    """The bytes of a column of text, some rows at a time, whose ends are added to those before."""
    import numpy as np

    for start in range(0, column.height, _TEXTS):
        (array,) = _arrays(column.slice(start, _TEXTS), {})
        _, own, content = array.buffers()
        offsets = np.frombuffer(own, dtype=np.int64, count=len(array) + 1)
        yield memoryview(content)[: offsets[-1]]
        ends.append(ends[-1][-1] + offsets[1:])


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
