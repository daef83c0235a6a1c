"""Serves the built studio: its files as they are, its start page for every other address."""

from __future__ import annotations

import mimetypes
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from modelwright.api.errors import MethodNotAllowed, UnknownPath, error_reply

BUILT = Path(__file__).parent.parent / "studio_dist"
"""Where the build of the studio lies in the package."""

HASHED = "assets"
"""Folder of files whose names change with their content, so that they may be kept for ever."""

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"
_PACKED = (("br", ".br"), ("gzip", ".gz"))

_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Modelwright</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }</style>
<h1>Modelwright is running</h1>
<p>The studio, its web front end, is not built in this checkout. Build it, then reload this page:</p>
<pre>make studio</pre>
<p>The HTTP API, the Python client and the command line work without it. The API is described at
<code>/api/openapi.json</code>.</p>
</html>
"""


class Studio:
    """An ASGI application for everything that is not the API.

    folder: the build.  A page for people stands in for it while it is not there.
    """

    def __init__(self, folder: Path = BUILT) -> None:
        self.folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        response = self.respond(scope["method"], scope["path"], Headers(scope=scope))
        await response(scope, receive, send)

    def respond(self, method: str, path: str, headers: Headers) -> Response:
        """The response for an address."""
        if path == "/api" or path.startswith("/api/"):
            return error_reply(UnknownPath(path))
        if method not in ("GET", "HEAD"):
            return error_reply(MethodNotAllowed(method, path, "GET"))
        start = self.folder / "index.html"
        if not start.is_file():
            return HTMLResponse(_NOT_BUILT, headers={"Cache-Control": _ASK_EACH_TIME})
        found = self._file(path)
        if found is not None:
            hashed = path.startswith(f"/{HASHED}/")
            return _send(found, headers, _FOR_EVER if hashed else _ASK_EACH_TIME)
        if "." in path.rpartition("/")[2]:
            # A file that is asked for by name is not one of the studio's own addresses.
            return Response("Not found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        return _send(start, headers, _ASK_EACH_TIME)

    def _file(self, path: str) -> Path | None:
        try:
            wanted = (self.folder / path.lstrip("/")).resolve()
            inside = wanted.is_relative_to(self.folder.resolve()) and wanted.is_file()
        except (OSError, ValueError):
            return None
        return wanted if inside else None


def _send(file: Path, headers: Headers, caching: str) -> Response:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    sent = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
    accepted = headers.get("accept-encoding", "")
    for encoding, ending in _PACKED:
        packed = file.with_name(file.name + ending)
        if encoding in accepted and packed.is_file():
            return FileResponse(
                packed, media_type=kind, headers={**sent, "Content-Encoding": encoding}
            )
    return FileResponse(file, media_type=kind, headers=sent)
