"""The files of a stored bundle, such as the plots of a script."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.data.file_bundle import FileBundle

if TYPE_CHECKING:
    from modelwright.actions.home import Home


class NoSuchFile(ModelwrightError):
    """A stored value has no file of that name, or is no bundle of files."""

    code = "no-such-file"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'The stored value has no file "{name}".',
            remedy=suggestion(name, known) or "Choose an output that carries files.",
            name=name,
            known=list(known[:50]),
        )


def read_file(home: Home, digest: str, name: str) -> bytes:
    """The content of one file.  Raises NoSuchFile, and what `Store.get` raises."""
    value = home.store.get(Digest(digest))
    files = value.files if isinstance(value, FileBundle) else {}
    if name not in files:
        raise NoSuchFile(name, tuple(files))
    return files[name]


def media_type_of(name: str) -> str:
    """What a browser is told that a file is; only images are shown by it."""
    found = mimetypes.guess_type(name)[0] or ""
    return (
        found if found in ("image/png", "image/jpeg", "image/gif") else "application/octet-stream"
    )
