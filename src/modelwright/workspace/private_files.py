"""Files that only their owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def keep_private_file(path: Path, content: bytes) -> None:
    """Make the file with this content unless it is there, and close it to everyone else.

    Of several processes that make it at once, the content of one is kept by all.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # A link appears whole or not at all, and never in place of another's file.
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
