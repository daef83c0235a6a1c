"""Files that a user names, read and written whole."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from modelwright.data.files.errors import CannotWriteFile, FileMissing


def read_bytes(path: Path) -> bytes:
    """The content of a file.  Raises FileMissing."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileMissing(str(path)) from None
    except OSError as error:
        raise FileMissing(str(path), reason(error)) from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file at once or not at all.  Raises CannotWriteFile."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise CannotWriteFile(str(path), reason(error)) from None


def reason(error: OSError) -> str:
    """Why the system refused, in its words."""
    return (error.strerror or str(error)).lower()
