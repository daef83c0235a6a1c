"""Files of a place as one table: streamed where they are Parquet, and alike in their columns."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from modelwright.components.places.errors import ColumnsDiffer
from modelwright.components.places.partitions import Told, dtypes_of, told_by_folders
from modelwright.components.places.storage import Place, fetch
from modelwright.data import arrow_file
from modelwright.data.column_names import all_named
from modelwright.data.files.errors import UnreadableFile
from modelwright.data.files.formats import find_format
from modelwright.data.files.notes import Note
from modelwright.data.files.options import ReadOptions
from modelwright.data.files.reading import MARKS, load_table
from modelwright.data.files.source import Source
from modelwright.data.schema import ColumnType, MissingColumn, Schema
from modelwright.data.table import Table

_NUMBERS = {ColumnType.INTEGER, ColumnType.DOUBLE}
_TEXT_FORMATS = ("csv", "tsv")
# Below this, reading is quicker than streaming to a file that is mapped.
_SMALL = 64 << 20
# Rows that are gathered before they are written; more of them only take more memory.
_BATCH = 1 << 16
_VALUE = 8

T = TypeVar("T")


def read_files(
    place: Place,
    files: Sequence[str],
    options: ReadOptions,
    scratch: Path,
    *,
    columns: Sequence[str] = (),
) -> tuple[Table, tuple[Note, ...]]:
    """The rows of all files, one file after the other, and notes of their reading.

    Folders such as year=2026, below the one that was asked for, are columns after those of the files,
    unless these have one of that name.  Parquet that is large goes through a mapped file in `scratch`,
    so that it never is in memory as a whole; the file may be deleted afterwards.
    columns: the ones to keep, all when empty.
    Raises ColumnsDiffer, MissingColumn, and the errors of `data.files.errors`.
    """
    # One after another, so that copies of a store's files do not all lie here when one is bad.
    here = [fetch(place, file, scratch) for file in files]
    told = told_by_folders(place, files)
    chosen = options
    if chosen.format is None:
        chosen = replace(options, format=find_format(Source.of(here[0])))
    if chosen.format == "parquet":
        return _parquet(here, scratch, columns, told), ()
    loaded = [load_table(path, chosen) for path in here]
    notes = tuple(note for one in loaded for note in one.notes)
    tables = [one.table for one in loaded]
    _require_names(here, [t.schema for t in tables])
    if chosen.format in _TEXT_FORMATS and (mixed := _of_several_types(_with_values(tables))):
        # What reads as a number in one file is text there too when it is text in another.
        types = {**chosen.types, **dict.fromkeys(mixed, ColumnType.STRING)}
        tables = [load_table(path, replace(chosen, types=types)).table for path in here]
    known = _with_values(tables)
    _require_types(here, known, [dict(t.frame.schema) for t in tables])
    own = tables[0].schema.names
    types_told = dtypes_of(told, besides=own)
    kept = _kept((*own, *types_told), columns)
    frames = [
        t.frame.with_columns(_literals(values, types_told)).with_columns(
            # A column without a value says nothing of its type.
            pl.lit(None).alias(n)
            for n in kept
            if n in own and n not in k
        )
        for t, k, values in zip(tables, known, told, strict=True)
    ]
    frames = [frame.select(all_named(kept)) for frame in frames]
    return tables[0].of(pl.concat(frames, how="vertical_relaxed")), notes


def _with_values(tables: Sequence[Table]) -> list[Schema]:
    """Of each table the columns that hold a value."""
    return [
        t.schema.keep(s.name for s in t.frame.iter_columns() if s.null_count() < len(s))
        for t in tables
    ]


def _parquet(
    files: Sequence[Path], scratch: Path, columns: Sequence[str], told: Sequence[Told]
) -> Table:
    kinds = [_parquet_types(path) for path in files]
    schemas = [Table(pl.DataFrame(schema=kind)).schema for kind in kinds]
    _require_names(files, schemas)
    known = [
        s.drop(n for n, dtype in kind.items() if dtype == pl.Null)
        for s, kind in zip(schemas, kinds, strict=True)
    ]
    _require_types(files, known, kinds)
    own = schemas[0].names
    types_told = dtypes_of(told, besides=own)
    kept = _kept((*own, *types_told), columns)
    # Without a column of the files nothing would tell how many rows there are.
    read = [n for n in kept if n in own] or list(own[:1])
    wanted = {n: _widest([s.column(n).type for s in known if n in s]) for n in read}
    parts = [
        pl.scan_parquet(path, glob=False)
        .select(_cast(pl.nth(at), wanted[n]) for at, n in enumerate(own) if n in wanted)
        .with_columns(_literals(values, types_told))
        .select(all_named(kept))
        for path, values in zip(files, told, strict=True)
    ]
    marks = pl.read_parquet_metadata(files[0]).get(MARKS)
    marked = Schema.from_json(json.loads(marks)) if marks else schemas[0]
    # What a file unpacks to is told by its rows, not by its own size.
    rows = sum(pl.scan_parquet(p, glob=False).select(pl.len()).collect().item() for p in files)
    if rows * len(kept) * _VALUE < _SMALL:
        found = [_read(path, part.collect) for path, part in zip(files, parts, strict=True)]
        return Table(pl.concat(found, how="vertical_relaxed"), marked)
    # One after another: files that are read beside each other take memory each.
    mapped = [
        _read(path, partial(_mapped, part, scratch / f"{secrets.token_hex(4)}.arrow"))
        for path, part in zip(files, parts, strict=True)
    ]
    how: Any = "vertical" if len({tuple(m.dtypes) for m in mapped}) == 1 else "vertical_relaxed"
    return Table(pl.concat(mapped, how=how, rechunk=False), marked)


def _mapped(rows: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """The rows, streamed to a file and mapped from there; the mapping outlives the file's name."""
    rows.sink_ipc(path, compression="uncompressed", record_batch_size=_BATCH)
    frame = arrow_file.read(path)
    path.unlink()
    return frame


def _cast(column: pl.Expr, kind: ColumnType) -> pl.Expr:
    """Values of a file in the type of the table; a time zone is part of the value and stays."""
    if kind in (ColumnType.OTHER, ColumnType.DATETIME):
        return column
    return column.cast(kind.dtype)


def _parquet_types(path: Path) -> dict[str, pl.DataType]:
    return _read(path, lambda: dict(pl.read_parquet_schema(path)))


def _read(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except pl.exceptions.PolarsError as error:
        why = str(error).partition("\n")[0]
        raise UnreadableFile(path.name, "Parquet", why) from error


def _kept(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    for name in columns:
        if name not in names:
            raise MissingColumn(name, names, port="the imported data")
    return [n for n in names if not columns or n in columns]


def _literals(values: Told, dtypes: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    return [pl.lit(values[n], dtype=dtype).alias(n) for n, dtype in dtypes.items()]


def _require_names(files: Sequence[Path], schemas: Sequence[Schema]) -> None:
    first = schemas[0].names
    for path, schema in zip(files[1:], schemas[1:], strict=True):
        if list(schema.names) == list(first):
            continue
        lacking = [n for n in first if n not in schema]
        more = [n for n in schema.names if n not in schemas[0]]
        told = [f"it lacks {_listed(lacking)}"] if lacking else []
        told += [f"it also has {_listed(more)}"] if more else []
        raise ColumnsDiffer(
            files[0].name, path.name, " and ".join(told) or "they are in another order"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{n}"' for n in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _of_several_types(schemas: Sequence[Schema]) -> list[str]:
    """Columns that are of types which are not brought together; some schemas may lack a column."""
    kinds: dict[str, set[ColumnType]] = {}
    for column in (c for schema in schemas for c in schema):
        kinds.setdefault(column.name, set()).add(column.type)
    return [name for name, found in kinds.items() if len(found) > 1 and not found <= _NUMBERS]


def _require_types(
    files: Sequence[Path], schemas: Sequence[Schema], dtypes: Sequence[Mapping[str, pl.DataType]]
) -> None:
    """schemas: of each file the columns whose types are known.  dtypes: of each file's columns."""
    mixed = _of_several_types(schemas)
    firsts: dict[str, int] = {}
    for number, schema in enumerate(schemas):
        for name in schema.names:
            first = firsts.setdefault(name, number)
            kind, other = schemas[first].column(name).type, schema.column(name).type
            one, two = dtypes[first][name], dtypes[number][name]
            if (kind is not other and name in mixed) or (kind is other and not _join(one, two)):
                alike = kind is other
                why = f'its column "{name}" is {two if alike else other.value}, '
                why += f"not {one if alike else kind.value}"
                raise ColumnsDiffer(files[first].name, files[number].name, why)


def _join(one: pl.DataType, two: pl.DataType) -> bool:
    """Whether values of both go into one column; times with and without a zone do not."""
    if one == two or not (one.is_nested() or isinstance(one, pl.Datetime)):
        return True
    try:
        pl.concat([pl.Series([], dtype=d).to_frame() for d in (one, two)], how="vertical_relaxed")
    except pl.exceptions.PolarsError:
        return False
    return True


def _widest(kinds: Sequence[ColumnType]) -> ColumnType:
    if not kinds:
        return ColumnType.STRING
    return ColumnType.DOUBLE if set(kinds) == _NUMBERS else kinds[0]
