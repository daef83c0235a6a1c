"""Files on their way in: announced, sent, looked at."""

from __future__ import annotations

from http import HTTPStatus

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request

from modelwright.api.here import HereDep
from modelwright.api.receiving import receive_file
from modelwright.api.shapes.datasets import Preview, PreviewAsked, Upload, UploadAsked
from modelwright.api.shapes.shape import Done

router = APIRouter(prefix="/uploads", tags=["datasets"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@router.post("", status_code=HTTPStatus.CREATED)
def announce_upload(asked: UploadAsked, here: HereDep) -> Upload:
    """Announce a file; one that is too large, or for which there is no room, is refused here."""
    return Upload.of(here.uploads.begin(asked.name, asked.size))


@router.put("/{upload_id}/content", openapi_extra=_BODY)
async def send_upload(upload_id: str, request: Request, here: HereDep) -> Upload:
    """Send the file: as the body itself, or as the file of a form."""
    await receive_file(request, here.uploads, upload_id)
    return Upload.of(await run_sync(here.uploads.get, upload_id))


@router.get("/{upload_id}")
def get_upload(upload_id: str, here: HereDep) -> Upload:
    """How much of a file is here."""
    return Upload.of(here.uploads.get(upload_id))


@router.post("/{upload_id}/preview")
def preview_upload(upload_id: str, asked: PreviewAsked, here: HereDep) -> Preview:
    """How an uploaded file would be read, and its first rows read so."""
    from modelwright.data.files.suggest import suggest

    upload = here.uploads.get(upload_id)
    path = here.uploads.path(upload_id)
    found = suggest(path, asked.options.record(), name=upload.name, rows=asked.rows)
    return Preview.of(found)


@router.delete("/{upload_id}")
def delete_upload(upload_id: str, here: HereDep) -> Done:
    """Remove an uploaded file."""
    here.uploads.delete(upload_id)
    return Done()
