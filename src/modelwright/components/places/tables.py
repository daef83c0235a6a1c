"""Files of a place as one table: streamed where they are Parquet, and alike in their columns."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from modelwright.components.places.errors import ColumnsDiffer
from modelwright.components.places.storage import Place, fetch
from modelwright.data import arrow_file
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


def read_files(
    place: Place,
    files: Sequence[str],
    options: ReadOptions,
    scratch: Path,
    *,
    columns: Sequence[str] = (),
) -> tuple[Table, tuple[Note, ...]]:
    """The rows of all files, one file after the other, and notes of their reading.

    columns: the ones to keep, all when empty.  Parquet that is large goes through a mapped file in
    `scratch`, so that it never is in memory as a whole; the file may be deleted afterwards.
    Raises ColumnsDiffer, MissingColumn, and the errors of `data.files.errors`.
    """
    # One after another, so that copies of a store's files do not all lie here when one is bad.
    here = [fetch(place, file, scratch) for file in files]
    chosen = options
    if chosen.format is None:
        chosen = replace(options, format=find_format(Source.of(here[0])))
    if chosen.format == "parquet":
        return _parquet(here, scratch, columns), ()
    loaded = [load_table(path, chosen) for path in here]
    notes = tuple(note for one in loaded for note in one.notes)
    tables = [one.table for one in loaded]
    _require_names(here, [t.schema for t in tables])
    if chosen.format in _TEXT_FORMATS and (mixed := _of_several_types([t.schema for t in tables])):
        # What reads as a number in one file is text there too when it is text in another.
        types = {**chosen.types, **dict.fromkeys(mixed, ColumnType.STRING)}
        tables = [load_table(path, replace(chosen, types=types)).table for path in here]
    _require_types(here, [t.schema for t in tables])
    kept = _kept(tables[0].schema, columns)
    frame = pl.concat([t.frame.select(_by_name(kept)) for t in tables], how="vertical_relaxed")
    return tables[0].of(frame), notes


def _parquet(files: Sequence[Path], scratch: Path, columns: Sequence[str]) -> Table:
    schemas = [_parquet_schema(path) for path in files]
    _require_names(files, schemas)
    _require_types(files, schemas)
    kept = _kept(schemas[0], columns)
    wanted = {n: _widest([s.column(n).type for s in schemas]) for n in kept}
    parts = [
        pl.scan_parquet(path, glob=False).select(
            _cast(pl.nth(place), wanted[n])
            for place, n in enumerate(schemas[0].names)
            if n in wanted
        )
        for path in files
    ]
    marks = pl.read_parquet_metadata(files[0]).get(MARKS)
    marked = Schema.from_json(json.loads(marks)) if marks else schemas[0]
    # What a file unpacks to is told by its rows, not by its own size.
    rows = sum(pl.scan_parquet(p, glob=False).select(pl.len()).collect().item() for p in files)
    if rows * len(kept) * _VALUE < _SMALL:
        return Table(pl.concat(parts, how="vertical_relaxed").collect(), marked)
    # One after another: files that are read beside each other take memory each.
    mapped = [_mapped(part, scratch / f"{secrets.token_hex(4)}.arrow") for part in parts]
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


def _parquet_schema(path: Path) -> Schema:
    try:
        frame = pl.DataFrame(schema=pl.read_parquet_schema(path))
    except pl.exceptions.PolarsError as error:
        why = str(error).partition("\n")[0]
        raise UnreadableFile(path.name, "Parquet", why) from error
    return Table(frame).schema


def _kept(schema: Schema, columns: Sequence[str]) -> list[str]:
    for name in columns:
        if name not in schema:
            raise MissingColumn(name, schema.names, port="the imported data")
    return [n for n in schema.names if not columns or n in columns]


def _by_name(names: Sequence[str]) -> cs.Selector:
    return cs.by_name(*names)


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
    found = []
    for name in schemas[0].names:
        kinds = {s.column(name).type for s in schemas}
        if len(kinds) > 1 and not kinds <= _NUMBERS:
            found.append(name)
    return found


def _require_types(files: Sequence[Path], schemas: Sequence[Schema]) -> None:
    for name in _of_several_types(schemas):
        kind = schemas[0].column(name).type
        for path, schema in zip(files, schemas, strict=True):
            if schema.column(name).type is not kind:
                other = schema.column(name).type.value
                why = f'its column "{name}" is {other}, not {kind.value}'
                raise ColumnsDiffer(files[0].name, path.name, why)


def _widest(kinds: Sequence[ColumnType]) -> ColumnType:
    return ColumnType.DOUBLE if set(kinds) == _NUMBERS else kinds[0]
