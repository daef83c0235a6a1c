"""What steps left: shown in short, or written to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelwright.data.artifact import Artifact
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model, Transform, UntrainedModel
from modelwright.data.table import Table


class NotATable(ModelwrightError):
    """Only a table can be written as a file of rows."""

    code = "not-a-table"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"A {kind} has no rows that could be written to a file.",
            remedy="Choose an output that carries a table.",
            kind=kind,
        )


@dataclass(frozen=True)
class Preview:
    """A value in short.

    columns: of a table, as JSON.  rows: its first rows as JSON values, in the order of the columns.
    count: how many rows it has.  learnt: what a fitted value has learnt, as JSON.
    """

    kind: str
    title: str
    summary: Mapping[str, Any]
    columns: tuple[Mapping[str, Any], ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    count: int | None = None
    learnt: Mapping[str, Any] = field(default_factory=dict)


def preview_output(value: Artifact, *, rows: int = 10) -> Preview:
    """A value in short, of a table the first rows."""
    from modelwright.data.json_values import rows_to_json

    summary = value.summary()
    if isinstance(value, Table):
        return Preview(
            value.kind,
            value.title,
            summary,
            tuple(value.schema.to_json()),
            tuple(tuple(row) for row in rows_to_json(value.frame.head(rows))),
            value.rows,
        )
    if isinstance(value, Model | Transform):
        return Preview(value.kind, value.title, summary, learnt=value.learnt)
    if isinstance(value, UntrainedModel):
        return Preview(value.kind, value.title, summary, learnt=value.parameters)
    return Preview(value.kind, value.title, summary)


def write_output(value: Artifact, path: Path) -> None:
    """Write a table to a file in the format that its ending names.

    Raises NotATable, InvalidReadOption for an ending that names none, and CannotWriteFile.
    """
    from modelwright.data.files.writing import write_table

    if not isinstance(value, Table):
        raise NotATable(value.title.lower())
    write_table(value, path)
