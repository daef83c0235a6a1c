"""Files that are being brought in: on disk first, looked at, then registered."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modelwright.data.errors import ModelwrightError
from modelwright.data.store_errors import writing_to
from modelwright.workspace.errors import NotFound, WrongState

LARGEST = 4_000_000_000
"""Bytes of a file that may be uploaded, unless a server is told otherwise."""

_ID = re.compile(r"upload-[0-9a-f]{16}")
_FORGOTTEN_S = 24 * 3600.0
_NOTE = "upload.json"
_CONTENT = "content"
# Room that is left for the database and for what else works on the same disk.
_RESERVE = 200_000_000


class UploadTooLarge(ModelwrightError):
    """A file is larger than may be uploaded."""

    code = "upload-too-large"

    def __init__(self, name: str, size: int, limit: int) -> None:
        super().__init__(
            f'The file "{name}" has {size / 1e9:.2f} GB; at most {limit / 1e9:.2f} GB may be uploaded.',
            remedy="Register it from the server's own disk with `modelwright dataset add FILE`, "
            "or upload a compressed or smaller file.",
            name=name,
            size=size,
            limit=limit,
        )


class NoRoom(ModelwrightError):
    """The disk has no room for a file."""

    code = "no-room"

    def __init__(self, name: str, size: int, free: int) -> None:
        super().__init__(
            f'The file "{name}" has {size / 1e9:.2f} GB; only {max(free, 0) / 1e9:.2f} GB are free.',
            remedy="Free disk space on the server, or upload a smaller file.",
            name=name,
            size=size,
            free=free,
        )


class UploadIncomplete(ModelwrightError):
    """Less or more of a file has come than was announced."""

    code = "upload-incomplete"

    def __init__(self, name: str, size: int, received: int) -> None:
        super().__init__(
            f'Of the file "{name}" {received} bytes have come; {size} were announced.',
            remedy="Send the whole file again.",
            name=name,
            size=size,
            received=received,
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is being brought in.

    name: the file's name where it came from.  size: as announced; None when it was not.
    received: bytes that are here.
    """

    id: str
    name: str
    size: int | None
    received: int
    complete: bool


class Uploads:
    """The uploads of a home, each in a folder of its own; forgotten ones are removed after a day.

    largest: bytes a file may have.
    """

    def __init__(self, folder: Path, *, largest: int = LARGEST) -> None:
        self.folder = folder
        self.largest = largest
        self._sweep()

    def prepared(self) -> Path:
        """The folder, made when it is not there; other files that pass through may use it too."""
        with writing_to(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder

    def begin(self, name: str, size: int | None = None) -> Upload:
        """Make room for a file.  Raises UploadTooLarge and NoRoom before any of it is sent."""
        name = Path(name.replace("\\", "/")).name[:200] or "file"
        if size is not None:
            self.check_size(name, size)
        upload_id = f"upload-{secrets.token_hex(8)}"
        place = self.folder / upload_id
        with writing_to(self.folder):
            place.mkdir(parents=True, mode=0o700)
            self._note(place, {"name": name, "size": size, "complete": False})
        return self.get(upload_id)

    def check_size(self, name: str, size: int) -> None:
        """Raise UploadTooLarge or NoRoom for a file of so many bytes."""
        if size > self.largest:
            raise UploadTooLarge(name, size, self.largest)
        free = shutil.disk_usage(self.prepared()).free - _RESERVE
        if size > free:
            raise NoRoom(name, size, free)

    def get(self, upload_id: str) -> Upload:
        """One upload.  Raises NotFound."""
        place = self._place(upload_id)
        try:
            note = json.loads((place / _NOTE).read_text(encoding="utf-8"))
            received = (place / _CONTENT).stat().st_size if (place / _CONTENT).exists() else 0
        except (OSError, ValueError):
            raise _missing(upload_id) from None
        return Upload(upload_id, note["name"], note["size"], received, note["complete"])

    def path(self, upload_id: str) -> Path:
        """Where the file lies.  Raises NotFound, and WrongState while it is not whole."""
        upload = self.get(upload_id)
        if not upload.complete:
            raise WrongState(
                "upload", upload_id, "not complete", "be read", remedy="Send the whole file first."
            )
        return self._place(upload_id) / _CONTENT

    def open(self, upload_id: str) -> BinaryIO:
        """A file to write the content to, from its beginning.  Raises NotFound."""
        self.get(upload_id)
        with writing_to(self.folder):
            return (self._place(upload_id) / _CONTENT).open("wb")

    def finish(self, upload_id: str) -> Upload:
        """Say that the whole file is here.  Raises NotFound and UploadIncomplete."""
        upload = self.get(upload_id)
        if upload.size is not None and upload.size != upload.received:
            raise UploadIncomplete(upload.name, upload.size, upload.received)
        with writing_to(self.folder):
            self._note(
                self._place(upload_id),
                {"name": upload.name, "size": upload.received, "complete": True},
            )
        return self.get(upload_id)

    def delete(self, upload_id: str) -> None:
        """Remove a file that is no longer needed; none of that id is no mistake."""
        shutil.rmtree(self._place(upload_id), ignore_errors=True)

    def _place(self, upload_id: str) -> Path:
        # The id comes from outside: only one of ours may become a path.
        if not _ID.fullmatch(upload_id):
            raise _missing(upload_id)
        return self.folder / upload_id

    def _note(self, place: Path, note: Mapping[str, Any]) -> None:
        draft = place / f"{_NOTE}.part"
        draft.write_text(json.dumps(note), encoding="utf-8")
        draft.replace(place / _NOTE)

    def _sweep(self) -> None:
        if not self.folder.is_dir():
            return
        for place in self.folder.iterdir():
            with suppress(OSError):
                if time.time() - place.stat().st_mtime > _FORGOTTEN_S:
                    shutil.rmtree(place, ignore_errors=True)


def _missing(upload_id: str) -> NotFound:
    return NotFound("upload", upload_id, remedy="Upload the file again; it is kept for a day.")
