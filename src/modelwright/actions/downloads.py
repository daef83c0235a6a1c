"""Stored values as files that can be taken away."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from modelwright.actions.table_rows import load_table
from modelwright.data.artifact import Digest
from modelwright.data.store_errors import writing_to

if TYPE_CHECKING:
    from modelwright.actions.home import Home

DownloadFormat = Literal["csv", "tsv", "parquet", "arrow", "jsonl", "files"]

_ENDINGS: dict[DownloadFormat, str] = {
    "csv": ".csv",
    "tsv": ".tsv",
    "parquet": ".parquet",
    "arrow": ".arrow",
    "jsonl": ".jsonl",
    "files": ".zip",
}


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was written to be taken away.  name: what to call it there."""

    path: Path
    name: str


def write_download(
    home: Home, digest: str, format: DownloadFormat, folder: Path, *, name: str = ""
) -> Download:
    """Write a stored value as a file into a folder: a table in a format, or any value's own files.

    "files" gives a zip archive of what the store keeps.  name: of the file, without its ending.
    Raises NoRows, MissingArtifact, CannotWriteFile and StoreFull.
    """
    from modelwright.data.files.writing import write_table

    stem = re.sub(r"[^\w .()-]+", "-", name).strip(" .-")[:100] or digest[7:19]
    known = Digest(digest)
    ending = _ENDINGS[format]
    path = folder / f"content{ending}"
    if format == "files":
        content = home.store.fetch(known)
        with writing_to(folder), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(p for p in content.rglob("*") if p.is_file()):
                archive.write(file, file.relative_to(content).as_posix())
    else:
        write_table(load_table(home.store, known), path, format)
    return Download(path, stem + ending)
