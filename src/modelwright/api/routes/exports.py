"""Endpoints taken away as files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from modelwright.actions.exporting import export_endpoint, export_name
from modelwright.api.here import HereDep

router = APIRouter(prefix="/endpoints", tags=["endpoints"])


@router.get("/{name}/export", response_class=FileResponse, name="export_endpoint")
def export(name: str, here: HereDep, format: Literal["zip", "onnx"] = "zip") -> FileResponse:
    """What an endpoint serves: a zip that runs by itself, or one ONNX model proved to score alike."""
    folder = Path(tempfile.mkdtemp(prefix="export-", dir=here.uploads.prepared()))
    forget = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        made = export_endpoint(here.home, name, folder / f"exported.{format}", format=format)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        made.path,
        filename=export_name(name, format),
        background=forget,
        media_type="application/octet-stream",
    )
