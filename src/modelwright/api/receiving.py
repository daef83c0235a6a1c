"""Take in a file that is sent as a request's body, without ever holding more than a little of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, BinaryIO

from anyio.to_thread import run_sync
from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from modelwright.api.errors import InvalidRequest
from modelwright.api.uploads import Uploads
from modelwright.data.store_errors import writing_to

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_PIECE = 1 << 20


async def receive_file(request: Request, uploads: Uploads, upload_id: str) -> None:
    """Write the file in a request's body to an upload, from its beginning.

    The body is the file itself, or multipart/form-data whose first part with a file name is it.
    Raises NotFound, UploadTooLarge, NoRoom, StoreFull, UploadIncomplete, and InvalidRequest.
    """
    upload = await run_sync(uploads.get, upload_id)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal():
        await run_sync(uploads.check_size, upload.name, int(announced))
    file = await run_sync(uploads.open, upload_id)
    try:
        received = 0
        async for piece in _pieces(request):
            received += len(piece)
            if received > uploads.largest:
                uploads.check_size(upload.name, received)
            await run_sync(_write, uploads, file, piece)
    finally:
        await run_sync(file.close)
    await run_sync(uploads.finish, upload_id)


def _write(uploads: Uploads, file: BinaryIO, piece: bytes) -> None:
    with writing_to(uploads.folder, len(piece)):
        file.write(piece)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The file's content in pieces of a size that is worth a turn at the disk."""
    waiting = bytearray()
    async for chunk in _file_chunks(request):
        waiting += chunk
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


async def _file_chunks(request: Request) -> AsyncIterator[bytes]:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        async for chunk in request.stream():
            yield chunk
        return
    boundary = options.get(b"boundary")
    if not boundary:
        raise _malformed("its header names no boundary")
    form = _Form()
    parser = MultipartParser(boundary, form.callbacks())
    async for chunk in request.stream():
        try:
            parser.write(chunk)
        except MultipartParseError as error:
            raise _malformed(str(error)) from None
        if form.content:
            yield bytes(form.content)
            form.content.clear()
    if not form.found:
        raise _malformed("no part of it is a file")


def _malformed(why: str) -> InvalidRequest:
    return InvalidRequest([{"at": "body", "message": f"the form cannot be read: {why}"}])


class _Form:
    """Gathers the content of the first part of a form that is a file."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.found = False
        self._taking = False
        self._name = bytearray()
        self._value = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        """What the parser calls."""
        return {
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def _header(self) -> None:
        if bytes(self._name).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            if not self.found and (b"filename" in options or b"filename*" in options):
                self.found = self._taking = True
        self._name.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._taking:
            self.content += data[start:end]

    def _end(self) -> None:
        self._taking = False
