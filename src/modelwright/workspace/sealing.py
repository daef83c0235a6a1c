"""Seal values, so that the database alone gives no secret away."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.workspace.errors import SecretKeyMismatch

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Seal:
    """Seals and opens texts with the key in a file that only its owner may read.

    Fernet: AES-128 in CBC mode with HMAC-SHA256, so that a changed value does not open.
    """

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self._fernet: Fernet | None = None

    def close(self, text: str) -> str:
        """The text sealed."""
        return self._cipher().encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str, *, what: str) -> str:
        """The text that was sealed.  Raises SecretKeyMismatch; `what` names the value there."""
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretKeyMismatch(what, str(self._key_file)) from None

    def _cipher(self) -> Fernet:
        if self._fernet is None:
            from cryptography.fernet import Fernet

            try:
                self._fernet = Fernet(self._key_file.read_bytes().strip())
            except (ValueError, FileNotFoundError):
                raise SecretKeyMismatch("The workspace's secrets", str(self._key_file)) from None
        return self._fernet


def new_key() -> bytes:
    """The content of a new key file."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)) + b"\n"
