"""Tables become files: whole or not at all."""

from __future__ import annotations

import io
import json
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import polars as pl

from modelwright import temporary
from modelwright.data import arrow_file
from modelwright.data.column_names import named
from modelwright.data.files.errors import CannotWriteFile, InvalidReadOption
from modelwright.data.files.formats import format_of_name
from modelwright.data.files.options import FORMATS, Format
from modelwright.data.files.reading import MARKS
from modelwright.data.table import Table

_MOMENT = "%Y-%m-%dT%H:%M:%S%.f"


def write_table(table: Table, path: Path, format: Format | None = None) -> None:
    """Write a table to a file, in place of one that is there; by its ending when no format is given.

    CSV and TSV: missing values are empty fields, dates, times and spans are in ISO 8601, bytes are
    in hexadecimal, lists and structures are JSON.  Parquet and Arrow
    also keep roles and flags.  An empty text cannot be told from a
    missing value when CSV is read again, nor can NaN and the infinities in JSON lines.
    Raises CannotWriteFile, and leaves the old file as it was.
    """
    chosen = _format(format, path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        _write(table, part, chosen)
        os.replace(part, path)
    except (OSError, pl.exceptions.PolarsError) as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise CannotWriteFile(str(path), why) from error
    finally:
        # A name that is too long for writing is so for this, too.
        with suppress(OSError):
            part.unlink(missing_ok=True)


def table_as_bytes(table: Table, format: Format) -> bytes:
    """The content of a file with the table, as `write_table` writes it."""
    if format in ("csv", "tsv", "jsonl"):
        out = io.BytesIO()
        _write_text(table, out, format)
        return out.getvalue()
    with tempfile.TemporaryDirectory(dir=temporary.place()) as folder:
        path = Path(folder) / "table"
        _write(table, path, format)
        return path.read_bytes()


def _format(given: Format | None, path: Path) -> Format:
    chosen = given or format_of_name(path.name)
    if chosen not in FORMATS:
        why = f"name one of {', '.join(FORMATS)}, or a file that ends like one"
        raise InvalidReadOption("format", given or path.suffix, why)
    return chosen


def _write(table: Table, path: Path, format: Format) -> None:
    match format:
        case "parquet":
            table.frame.write_parquet(path, metadata=_marks(table))
        case "arrow":
            arrow_file.write(table.frame, path, notes=_marks(table))
        case _:
            with path.open("wb") as file:
                _write_text(table, file, format)


def _marks(table: Table) -> dict[str, str]:
    return {MARKS: json.dumps(table.schema.to_json(), ensure_ascii=False)}


def _write_text(table: Table, file: BinaryIO, format: Format) -> None:
    frame = _flat(table.frame)
    if format == "jsonl":
        frame.write_ndjson(file)
    else:
        frame.write_csv(file, separator="\t" if format == "tsv" else ",")


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Dates and times, and what no text format holds, as text."""
    columns: list[pl.Expr | pl.Series] = []
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Datetime):
            form = _MOMENT + ("%:z" if dtype.time_zone else "")
            columns.append(named(name).dt.to_string(form))
        elif dtype == pl.Binary:
            columns.append(named(name).bin.encode("hex"))
        elif dtype.is_nested() or dtype == pl.Object:
            texts = [
                None if v is None else json.dumps(v, default=str) for v in frame[name].to_list()
            ]
            columns.append(pl.Series(name, texts, dtype=pl.String))
        elif dtype == pl.Duration:
            columns.append(named(name).dt.to_string("iso"))
        elif dtype == pl.Time:
            columns.append(named(name).cast(pl.String))
    return frame.with_columns(columns) if columns else frame
