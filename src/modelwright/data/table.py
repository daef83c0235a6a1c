"""Tables: Polars frames whose columns carry roles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl

from modelwright.data import arrow_file
from modelwright.data.artifact import Artifact, CorruptArtifact
from modelwright.data.column_names import named
from modelwright.data.schema import Column, ColumnType, Role, Schema

_FRAME = "frame.arrow"
_COLUMNS = "columns.json"
_FAULTS = (ValueError, KeyError, TypeError, AttributeError)
# Nearly every column is of one of these; asked by class, as there may be thousands of them.
_KINDS: dict[type[pl.DataType], ColumnType] = {
    pl.String: ColumnType.STRING,
    pl.Int64: ColumnType.INTEGER,
    pl.Float64: ColumnType.DOUBLE,
    pl.Boolean: ColumnType.BOOLEAN,
}


class Table(Artifact):
    """Rows and named, typed columns; each column has a role and may be marked categorical.

    frame: any Polars frame; its types are brought to those of ColumnType (integers to Int64,
    floats to Float64, dates to Datetime in microseconds, categories to String with the mark).
    columns: marks by name; a column without an entry is a plain feature, and an entry without a
    column is left out, so marks can be handed on from an earlier table as they are.
    """

    kind: ClassVar[str] = "table"
    title: ClassVar[str] = "Table"

    def __init__(self, frame: pl.DataFrame, columns: Schema | Iterable[Column] = ()) -> None:
        marks = {c.name: c for c in columns if not c.is_plain}
        self.frame, found = _canonical(frame)
        self._marks: dict[str, Column] = {}
        for name in self.frame.columns:
            if name in marks:
                self._marks[name] = marks[name]
            if name in found:
                known = self._marks.get(name, Column(name, ColumnType.STRING))
                self._marks[name] = replace(known, categorical=True)

    @cached_property
    def schema(self) -> Schema:
        """Columns with their types and marks, in order."""
        return Schema(
            tuple(
                replace(self._marks[name], type=column_type(dtype))
                if name in self._marks
                else Column(name, column_type(dtype))
                for name, dtype in zip(self.frame.columns, self.frame.dtypes, strict=True)
            )
        )

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.frame.height

    @property
    def size(self) -> int:
        """Bytes the columns take in memory, estimated by Polars."""
        return int(self.frame.estimated_size())

    def of(self, frame: pl.DataFrame, renamed: Mapping[str, str] | None = None) -> Table:
        """A table of another frame with this table's marks for the columns that are still there.

        renamed: old name → new name, for marks that must follow their column.
        """
        marks = self.schema.rename(renamed) if renamed else self.schema
        return Table(frame, marks)

    def mark(self, *names: str, **marks: Any) -> Table:
        """The same rows with the given marks (role, categorical, score) set on some columns."""
        return Table(
            self.frame,
            [replace(c, **marks) if c.name in names else c for c in self.schema],
        )

    def label(self) -> Column | None:
        """The only column with the label mark, or None when none or several have it."""
        labels = [c for c in self.schema if c.role is Role.LABEL]
        return labels[0] if len(labels) == 1 else None

    def save(self, folder: Path) -> None:
        """Write an Arrow file, uncompressed so that it can be mapped, and the marks."""
        arrow_file.write(self.frame, folder / _FRAME)
        text = json.dumps([c.to_json() for c in self.schema], ensure_ascii=False, indent=0)
        (folder / _COLUMNS).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the marks and the Arrow file; a large file is mapped."""
        try:
            columns = json.loads((folder / _COLUMNS).read_text(encoding="utf-8"))
            schema = Schema.from_json(columns)
            frame = arrow_file.read(folder / _FRAME)
        except (OSError, *_FAULTS, pl.exceptions.PolarsError) as error:
            raise CorruptArtifact("table", str(error)) from error
        return cls(frame, schema)

    def summary(self) -> dict[str, Any]:
        """Rows and columns."""
        return {"rows": self.rows, "columns": self.frame.width}

    def __repr__(self) -> str:
        return f"Table({self.rows} rows x {self.frame.width} columns)"


def column_type(dtype: pl.DataType) -> ColumnType:
    """The column type that a Polars type stands for."""
    if (kind := _KINDS.get(type(dtype))) is not None:
        return kind
    if dtype == pl.String or isinstance(dtype, (pl.Categorical, pl.Enum)):
        return ColumnType.STRING
    if dtype.is_integer():
        return ColumnType.INTEGER
    if dtype.is_float() or dtype.is_decimal():
        return ColumnType.DOUBLE
    if dtype == pl.Boolean:
        return ColumnType.BOOLEAN
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return ColumnType.DATETIME
    if dtype == pl.Null:
        return ColumnType.STRING
    return ColumnType.OTHER


def _canonical(frame: pl.DataFrame) -> tuple[pl.DataFrame, set[str]]:
    """The frame in canonical types, and the columns that were categories."""
    casts: list[pl.Expr] = []
    categories: set[str] = set()
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if type(dtype) in _KINDS:
            continue
        if isinstance(dtype, (pl.Categorical, pl.Enum)):
            categories.add(name)
        kind = column_type(dtype)
        if kind is ColumnType.OTHER or dtype == kind.dtype:
            continue
        if isinstance(dtype, pl.Datetime):
            # A time zone is part of the value; only the unit is brought to microseconds.
            if dtype.time_unit != "us":
                casts.append(named(name).dt.cast_time_unit("us"))
            continue
        casts.append(named(name).cast(kind.dtype))
    return (frame.with_columns(casts) if casts else frame), categories
