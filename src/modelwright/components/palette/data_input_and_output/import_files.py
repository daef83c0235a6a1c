"""Import Files: a zip archive or a folder as a bundle of files, for scripts."""

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
from modelwright.components.parameters import Control, Shown
from modelwright.components.places.connection import find_connection, reach_of
from modelwright.data.file_bundle import LARGEST_BUNDLE, FileBundle, InvalidBundle


class ImportFiles(Component, category="Data Input and Output"):
    """Bring in the files of a zip archive, of a folder, or a single file, as a script's bundle.

    Places are those of Import Data.  A zip archive is unpacked; links and paths that lead out of it are
    refused.  Files below a folder keep their places in it.
    """

    data_source: Annotated[Literal["URL via HTTP", "Datastore"], Field(title="Data source")] = (
        "Datastore"
    )
    """Where the files are."""

    url: Annotated[str, Field(title="URL"), Shown(data_source="URL via HTTP")] = ""
    """Full address of a public file, with http:// or https://."""

    datastore: Annotated[
        str, Field(title="Datastore"), Control("connection"), Shown(data_source="Datastore")
    ] = ""
    """Name of a connection; empty for a path that is an address of its own or lies on this machine."""

    path: Annotated[str, Field(title="Path"), Shown(data_source="Datastore")] = ""
    """Zip archive, file or folder."""

    regenerate_output: Annotated[bool, Field(title="Regenerate output")] = False
    """Whether the files are fetched anew in each run."""

    @property
    def always_runs(self) -> str | None:
        """Why no earlier result is taken, if so."""
        if self.regenerate_output:
            return '"Regenerate output" is on, so the files are fetched anew.'
        return None

    @property
    def reuse_note(self) -> str:
        """What a reader of the plan has to know of a reused result."""
        return 'The source is not looked at again while "Regenerate output" is off.'

    def run(self, *, context: Context) -> Annotated[FileBundle, Titled("Files")]:
        with tempfile.TemporaryDirectory(dir=context.scratch) as scratch:
            found = self._found(Path(scratch), context)
            if sum(path.stat().st_size for path in found.values()) > LARGEST_BUNDLE:
                raise InvalidBundle(f"they have more than {LARGEST_BUNDLE} bytes")
            if len(found) == 1:
                (content,) = (path.read_bytes() for path in found.values())
                if content.startswith(b"PK\x03\x04"):
                    return FileBundle.of_zip(content)
            return FileBundle({name: path.read_bytes() for name, path in found.items()})

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        if self.data_source == "URL via HTTP" and not self.url.strip():
            raise InvalidParameter("URL", self.url, "the address of a file is needed")
        if self.data_source == "Datastore" and not (self.datastore or self.path.strip()):
            raise InvalidParameter("Path", self.path, "a datastore or a path is needed")
        return super().outline(**inputs)

    def _found(self, scratch: Path, context: Context) -> dict[str, Path]:
        """The files by their names in the bundle."""
        from modelwright.components.places.storage import fetch, files_at, place_of
        from modelwright.components.places.web import download

        reach = reach_of(context)
        if self.data_source == "URL via HTTP":
            file = download(self.url, scratch, reach=reach, log=context.log)
            return {file.name: file}
        connection = find_connection(context, self.datastore) if self.datastore else None
        place = place_of(self.path, connection, reach)
        files = files_at(place)
        above = place.path.partition("*")[0].rpartition("/")[0] if "*" in place.path else place.path
        names = {f: f.removeprefix(above).lstrip("/") or Path(f).name for f in files}
        return {names[file]: fetch(place, file, scratch) for file in files}
