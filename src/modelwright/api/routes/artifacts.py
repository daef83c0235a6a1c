"""Stored values by their digest: what they hold, their rows, their differences, and as files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from modelwright.actions.contents import read_content
from modelwright.actions.downloads import DownloadFormat, write_download
from modelwright.actions.evaluations import plots_of
from modelwright.actions.profiles import profile_stored
from modelwright.actions.stored_files import media_type_of, read_file
from modelwright.actions.table_difference import table_difference
from modelwright.api.here import HereDep
from modelwright.api.shapes.artifacts import (
    Artifact,
    Plots,
    Profile,
    Rows,
    RowsAsked,
    TableDifference,
)
from modelwright.data.artifact import Digest

router = APIRouter(prefix="/artifacts", tags=["artifacts"])

DigestPath = Annotated[str, Path(pattern="^sha256:[0-9a-f]{64}$")]
DigestQuery = Annotated[str, Query(pattern="^sha256:[0-9a-f]{64}$")]


@router.get("/{digest}")
def get_artifact(digest: DigestPath, here: HereDep) -> Artifact:
    """A stored value: the columns of a table, what a model or a transformation learnt."""
    return Artifact.of(read_content(here.home, digest))


@router.post("/{digest}/rows")
def read_rows(digest: DigestPath, asked: RowsAsked, here: HereDep) -> Rows:
    """Rows of a stored table from a place on, sorted and filtered as wanted."""
    found = here.rows.read(
        Digest(digest),
        offset=asked.offset,
        limit=asked.limit,
        columns=asked.columns,
        sort=asked.sorting(),
        filters=asked.conditions(),
    )
    return Rows.of(found)


@router.get("/{digest}/profile")
def get_profile(
    digest: DigestPath, here: HereDep, column: Annotated[list[str] | None, Query()] = None
) -> Profile:
    """What is in the columns of a stored table.  column: only these."""
    return Profile.model_validate(profile_stored(here.home, digest, columns=column))


@router.get("/{digest}/evaluation")
def get_plots(digest: DigestPath, here: HereDep) -> Plots:
    """The curves of a stored table of scored rows."""
    return Plots(plots=dict(plots_of(here.home, digest)))


@router.get("/{digest}/difference")
def get_difference(digest: DigestPath, other: DigestQuery, here: HereDep) -> TableDifference:
    """How another stored table differs from this one: rows, columns, and how values are spread."""
    return TableDifference.of(table_difference(here.home, digest, other))


@router.get("/{digest}/files/{name:path}", response_class=Response, name="get_artifact_file")
def get_file(digest: DigestPath, name: str, here: HereDep) -> Response:
    """One file of a stored bundle, such as a plot of a script."""
    content = read_file(here.home, digest, name)
    # A stored value never changes; and what is no image must not be run by a browser.
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type_of(name), headers=headers)


@router.get("/{digest}/download", response_class=FileResponse, name="download_artifact")
def download(
    digest: DigestPath,
    here: HereDep,
    format: DownloadFormat = "csv",
    name: Annotated[str, Query(max_length=200)] = "",
) -> FileResponse:
    """A stored table as a file, or the files of any stored value as a zip archive.

    name: of the file, without its ending.
    """
    folder = FilePath(tempfile.mkdtemp(prefix="download-", dir=here.uploads.prepared()))
    forget = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        made = write_download(here.home, digest, format, folder, name=name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        made.path, filename=made.name, background=forget, media_type="application/octet-stream"
    )
