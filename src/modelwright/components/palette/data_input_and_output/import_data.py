"""Import Data: a table from a web address, from files, or from a database."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import InvalidParameter
from modelwright.components.outline import Outline
from modelwright.components.parameters import Control, Shown, SqlCode
from modelwright.components.places.connection import find_connection, reach_of
from modelwright.data.errors import ModelwrightError
from modelwright.data.files.options import ReadOptions
from modelwright.data.table import Table


class ImportData(Component, category="Data Input and Output"):
    """Read a table from a web address, from files in a folder or store, or from a database.

    URL via HTTP reads one public file.  Redirects are followed, each looked at as the address itself:
    one that leads into this machine or its private network is refused unless it is allowed.  A server
    that does not answer is asked four times.

    Datastore reads files below a named connection, or the rows that a query gives in a database.
    Without a datastore the path is an address such as s3://bucket/cars.csv, or lies in a folder of
    this machine that pipelines may use.  FOLDER/** takes every file under a folder; all must have the
    same columns, and their rows follow each other in the order of the files' names.  Folders such as
    year=2026 below FOLDER are columns, too.  A large Parquet folder is streamed and never in memory as
    a whole.

    Formats are CSV, TSV, Parquet, JSON lines and Arrow.  Types of text files are found from all their
    values; text stays text and is made categorical with Edit Metadata.  Without a header row the columns
    are col1, col2, …

    With "Regenerate output" off the result of an earlier run with the same settings is reused and the
    source is not looked at again; a changed source is picked up with it on, or by running the node anew.
    """

    data_source: Annotated[Literal["URL via HTTP", "Datastore"], Field(title="Data source")] = (
        "URL via HTTP"
    )
    """Where the data are."""

    url: Annotated[str, Field(title="URL"), Shown(data_source="URL via HTTP")] = ""
    """Full address of a public file, with http:// or https://."""

    datastore: Annotated[
        str, Field(title="Datastore"), Control("connection"), Shown(data_source="Datastore")
    ] = ""
    """Name of a connection; empty for a path that is an address of its own or lies on this machine."""

    path: Annotated[str, Field(title="Path"), Shown(data_source="Datastore")] = ""
    """File or folder in the datastore; FOLDER/** and * take several files."""

    query: Annotated[SqlCode, Field(title="Database query"), Shown(data_source="Datastore")] = ""
    """For a database: the name of a table, or a query that gives rows."""

    columns: Annotated[tuple[str, ...], Field(title="Preview schema"), Control("names")] = ()
    """Names of the columns to import; all when empty."""

    options: dict[str, Any] = Field(title="Parsing options", default_factory=dict)
    """How files are read, such as {"separator": ";", "header": false, "encoding": "latin-1"}."""

    regenerate_output: Annotated[bool, Field(title="Regenerate output")] = False
    """Whether the data are fetched anew in each run."""

    @field_validator("options")
    @classmethod
    def _readable(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            ReadOptions.from_json(value)
        except ModelwrightError as error:
            raise ValueError(error.happened) from None
        return value

    @property
    def always_runs(self) -> str | None:
        """Why no earlier result is taken, if so."""
        return (
            '"Regenerate output" is on, so the data are fetched anew.'
            if self.regenerate_output
            else None
        )

    @property
    def reuse_note(self) -> str:
        """What a reader of the plan has to know of a reused result."""
        return 'The source is not looked at again while "Regenerate output" is off.'

    def run(self, *, context: Context) -> Annotated[Table, Titled("Dataset")]:
        if self.data_source == "URL via HTTP":
            return self._from_web(context)
        if self.datastore:
            connection = find_connection(context, self.datastore)
            if connection.kind == "database":
                from modelwright.components.places.databases import read_rows

                return self._chosen(read_rows(connection, self._asked(), reach_of(context)))
        return self._from_files(context)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        if self.data_source == "URL via HTTP" and not self.url.strip():
            raise InvalidParameter("URL", self.url, "the address of a file is needed")
        if self.data_source == "Datastore" and not (self.datastore or self.path.strip()):
            raise InvalidParameter("Path", self.path, "a datastore or a path is needed")
        return super().outline(**inputs)

    def _asked(self) -> str:
        """The query; the path may name a table, too."""
        asked = self.query.strip() or self.path.strip()
        if not asked:
            raise InvalidParameter("Database query", self.query, "a table or a query is needed")
        return asked

    def _from_web(self, context: Context) -> Table:
        from modelwright.components.places.storage import Place
        from modelwright.components.places.web import download

        reach = reach_of(context)
        with tempfile.TemporaryDirectory(dir=context.scratch) as scratch:
            file = download(self.url, Path(scratch), reach=reach, log=context.log)
            context.log(f"{file.stat().st_size} bytes from {self.url}")
            place = Place(self.url, str(file), reach)
            return self._read(place, [str(file)], Path(scratch), context)

    def _from_files(self, context: Context) -> Table:
        from modelwright.components.places.storage import files_at, place_of

        connection = find_connection(context, self.datastore) if self.datastore else None
        place = place_of(self.path, connection, reach_of(context))
        files = files_at(place)
        context.log(f"{len(files)} file{'s' if len(files) > 1 else ''} at {place.shown}")
        with tempfile.TemporaryDirectory(dir=context.scratch) as scratch:
            return self._read(place, files, Path(scratch), context)

    def _read(self, place: Any, files: list[str], scratch: Path, context: Context) -> Table:
        from modelwright.components.places.partitions import told_by_folders
        from modelwright.components.places.tables import read_files

        options = ReadOptions.from_json(self.options)
        # Names given here are read by the types that are asked for, too.
        table, notes = read_files(
            place, files, options, scratch, columns=() if not options.header else self.columns
        )
        for note in notes:
            context.log(note.text)
        if options.header:
            return table
        told, *_ = told_by_folders(place, files)
        unnamed = [n for n in table.schema.names if n not in told]
        named = {n: f"col{i + 1}" for i, n in enumerate(unnamed)}
        return self._chosen(table.of(table.frame.rename(named), named))

    def _chosen(self, table: Table) -> Table:
        from modelwright.data.column_names import all_named

        if not self.columns:
            return table
        for name in self.columns:
            table.schema.column(name, port="the imported data")
        # They stay in their order, as those of files do.
        kept = [name for name in table.schema.names if name in self.columns]
        return table.of(table.frame.select(all_named(kept)))
