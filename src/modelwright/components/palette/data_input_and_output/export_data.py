"""Export Data: a table written to a folder, a store or a database."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import InvalidParameter
from modelwright.components.outline import Outline
from modelwright.components.parameters import Control
from modelwright.components.places.connection import find_connection, reach_of
from modelwright.data.files.options import Format
from modelwright.data.table import Table

_FORMATS: dict[str, Format] = {
    "CSV": "csv",
    "TSV": "tsv",
    "Parquet": "parquet",
    "JSON lines": "jsonl",
    "Arrow": "arrow",
}


class ExportData(Component, category="Data Input and Output"):
    """Write a table to a file in a folder or store, or to a table of a database.

    A file is there whole or not at all, and one that it replaces stays until then.  In a database all
    rows are written in one transaction; a table that is not there is made, with Text, BigInteger,
    Double, Boolean and DateTime columns.  Overwrite takes the rows of an existing table away and keeps
    the table.  A column of another type than in the database is refused, also where the database would
    round or cut its values; two exports to one table in PostgreSQL or SQLite follow each other.

    Without a datastore the path is an address such as s3://bucket/cars.csv, or lies in a folder of
    this machine that pipelines may use.  Parquet and Arrow keep types, roles and flags; CSV, TSV and
    JSON lines cannot tell NaN or empty text from a missing value.

    With "Regenerate output" off nothing is written again while data and settings are those of an earlier
    run, even if the file has been deleted since.
    """

    datastore: Annotated[str, Field(title="Datastore"), Control("connection")] = ""
    """Name of a connection; empty for a path that is an address of its own or lies on this machine."""

    path: Annotated[str, Field(title="Path")] = ""
    """File to write, or the name of a table in a database."""

    file_format: Annotated[
        Literal["By the path's ending", "CSV", "TSV", "Parquet", "JSON lines", "Arrow"],
        Field(title="File format"),
    ] = "By the path's ending"
    """Format of the file; CSV when the path's ending says nothing."""

    if_exists: Annotated[Literal["Error", "Overwrite", "Append"], Field(title="If it exists")] = (
        "Error"
    )
    """What becomes of a file or table that is there; Append is for tables of databases."""

    regenerate_output: Annotated[bool, Field(title="Regenerate output")] = False
    """Whether the table is written anew in each run."""

    @property
    def always_runs(self) -> str | None:
        """Why no earlier result is taken, if so."""
        return (
            '"Regenerate output" is on, so the table is written anew.'
            if self.regenerate_output
            else None
        )

    @property
    def reuse_note(self) -> str:
        """What a reader of the plan has to know of a step that is not done again."""
        return 'Nothing is written again while "Regenerate output" is off.'

    def run(self, dataset: Annotated[Table, Titled("Dataset")], *, context: Context) -> None:
        self._require_path()
        connection = find_connection(context, self.datastore) if self.datastore else None
        reach = reach_of(context)
        if connection is not None and connection.kind == "database":
            from modelwright.components.places.databases import write_rows

            write_rows(connection, self.path, dataset, reach, if_exists=self.if_exists)
            context.log(f"{dataset.rows} rows in {self.path.strip()} of {connection.name}")
            return
        if self.if_exists == "Append":
            raise InvalidParameter(
                "If it exists", self.if_exists, "rows can be added to tables of databases only"
            )
        from modelwright.components.places.storage import place_of, put
        from modelwright.data.files.formats import format_of_name
        from modelwright.data.files.writing import write_table

        place = place_of(self.path, connection, reach)
        chosen = _FORMATS.get(self.file_format) or format_of_name(place.path) or "csv"
        with tempfile.TemporaryDirectory(dir=context.scratch) as scratch:
            put(
                place,
                lambda path: write_table(dataset, path, chosen),
                Path(scratch),
                overwrite=self.if_exists == "Overwrite",
            )
        context.log(f"{dataset.rows} rows at {place.shown}")

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        self._require_path()
        return super().outline(**inputs)

    def _require_path(self) -> None:
        if not self.path.strip():
            raise InvalidParameter("Path", self.path, "the name of a file or table is needed")
