"""Files of rows, in and out: CSV, TSV, Parquet, JSON lines and Arrow."""

from __future__ import annotations

from modelwright.data.files.notes import Loaded, Note
from modelwright.data.files.options import FORMATS, MISSING, Format, ReadOptions
from modelwright.data.files.reading import load_table, read_table
from modelwright.data.files.suggest import ParsePreview, suggest
from modelwright.data.files.writing import table_as_bytes, write_table

__all__ = [
    "FORMATS",
    "MISSING",
    "Format",
    "Loaded",
    "Note",
    "ParsePreview",
    "ReadOptions",
    "load_table",
    "read_table",
    "suggest",
    "table_as_bytes",
    "write_table",
]
