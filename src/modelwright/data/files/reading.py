"""Files of rows become tables."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from modelwright.data.files.delimited import read_delimited
from modelwright.data.files.encoding import as_utf8, wrong_byte
from modelwright.data.files.errors import UnreadableFile
from modelwright.data.files.formats import find_format
from modelwright.data.files.notes import Loaded
from modelwright.data.files.options import Format, ReadOptions
from modelwright.data.files.source import Source
from modelwright.data.schema import Schema
from modelwright.data.table import Table

MARKS = "modelwright.columns"
"""Key in the metadata of a Parquet or Arrow file under which roles and flags are kept."""


def read_table(given: Path | bytes, options: ReadOptions | None = None, *, name: str = "") -> Table:
    """The table in a file, or in the bytes of one.

    name: of the file, for messages and for the format that its ending stands for.
    Raises the errors of `modelwright.data.files.errors`.
    """
    return load_table(given, options, name=name).table


def load_table(
    given: Path | bytes, options: ReadOptions | None = None, *, name: str = ""
) -> Loaded:
    """As `read_table`, with notes of what was done beside reading: rows left out, columns renamed."""
    source = Source.of(given, name or None)
    chosen = options or ReadOptions()
    match chosen.format or find_format(source):
        case "csv":
            return read_delimited(source, chosen)
        case "tsv":
            return read_delimited(source, replace(chosen, separator=chosen.separator or "\t"))
        case "jsonl":
            return Loaded(_read_json(source, chosen))
        case "parquet":
            return Loaded(_read_parquet(source))
        case "arrow":
            return Loaded(_read_arrow(source))


def _read_parquet(source: Source) -> Table:
    def read() -> Table:
        marks = pl.read_parquet_metadata(_stream(source)).get(MARKS)
        frame = pl.read_parquet(_stream(source), glob=False)
        return Table(frame, Schema.from_json(json.loads(marks)) if marks else ())

    return _checked(source, "parquet", read)


def _read_arrow(source: Source) -> Table:
    def read() -> Table:
        # A stream of batches has no file header.
        if source.head(6) != b"ARROW1":
            return Table(pl.read_ipc_stream(_stream(source)))
        frame = pl.read_ipc(_stream(source))
        marks = _arrow_marks(source)
        if marks is None:
            return Table(frame)
        # In our own files codes are a way to store text, and say nothing of its meaning.
        text = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
        return Table(text, Schema.from_json(json.loads(marks)))

    return _checked(source, "arrow", read)


def _arrow_marks(source: Source) -> str | None:
    import pyarrow as pa

    with pa.ipc.open_file(_stream(source)) as file:
        found = (file.schema.metadata or {}).get(MARKS.encode())
    return found.decode() if found else None


def _read_json(source: Source, options: ReadOptions) -> Table:
    with as_utf8(source, options.encoding) as text:
        start = text.head(1024).lstrip(b"\xef\xbb\xbf \t\r\n")

        def read() -> Table:
            if start.startswith(b"["):
                return Table(pl.read_json(_stream(text), infer_schema_length=None))
            return Table(pl.read_ndjson(_stream(text), infer_schema_length=None))

        try:
            return _checked(text, "jsonl", read)
        except UnreadableFile as error:
            if fault := wrong_byte(text):
                raise fault from None
            if not start.startswith(b"[") and (bad := _bad_line(text)):
                raise UnreadableFile(source.name, "JSON lines", bad[1], line=bad[0]) from error
            raise


def _bad_line(source: Source) -> tuple[int, str] | None:
    with source.open() as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                return number, str(error)
            if not isinstance(value, dict):
                return number, "it is no object in braces"
    return None


_NAMES: dict[Format, str] = {"parquet": "Parquet", "arrow": "Arrow", "jsonl": "JSON lines"}


def _checked(source: Source, format_name: Format, read: Callable[[], Table]) -> Table:
    faults = (pl.exceptions.PolarsError, ValueError, OSError, KeyError, TypeError)
    try:
        return read()
    except faults as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise UnreadableFile(source.name, _NAMES[format_name], why) from error


def _stream(source: Source) -> Any:
    return io.BytesIO(source.content) if source.content is not None else source.path
