"""What opens an endpoint: two keys, each of which can be made anew, and short-lived tokens."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

from modelwright.serve.errors import MalformedKeys
from modelwright.serve.tokens import opens

KeyName = Literal["primary", "secondary"]

_DIGEST = "sha256:"
_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets that callers send as `Authorization: Bearer KEY`.

    signing: what tokens are signed with; none are taken where it is empty.
    """

    primary: str = field(repr=False)
    secondary: str = field(repr=False)
    signing: str = field(default="", repr=False)

    @classmethod
    def new(cls) -> Keys:
        """Two fresh keys of 256 bits each."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32))

    def regenerated(self, which: KeyName) -> Keys:
        """With one key made anew."""
        return replace(self, **{which: secrets.token_urlsafe(32)})

    def lock(self) -> Lock:
        """What these keys open."""
        return Lock(tuple(_digest(k) for k in (self.primary, self.secondary)), self.signing)


@dataclass(frozen=True, slots=True)
class Lock:
    """Tells whether a key fits, without knowing the keys: it holds their SHA-256 digests only.

    The keys are long and random, so a digest gives nothing away and needs no salt.
    signing: what tokens are signed with; none are taken where it is empty.  endpoint: whose tokens.
    """

    digests: tuple[bytes, ...]
    signing: str = field(default="", repr=False)
    endpoint: str = ""

    @classmethod
    def read(cls, path: Path) -> Lock:
        """The lock in a JSON file {"primary": …, "secondary": …, "signing": …}, the last one optional.

        Each of the first two is a key, or "sha256:" and the digest of one in hexadecimal, as `write` has it.
        Raises MalformedKeys.
        """
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(value, Mapping):
                raise MalformedKeys(str(path), "it is not a JSON object")
            digests = tuple(_read(path, value[name]) for name in ("primary", "secondary"))
            return cls(digests, str(value.get("signing") or ""))
        except KeyError as error:
            raise MalformedKeys(str(path), f"it has no {error}") from error
        except (OSError, ValueError) as error:
            raise MalformedKeys(str(path), str(error)) from error

    def write(self, path: Path) -> None:
        """Write the digests to a file that only its owner may read, at once or not at all."""
        names = ("primary", "secondary")
        value = {n: _DIGEST + d.hex() for n, d in zip(names, self.digests, strict=True)}
        text = json.dumps({**value, "signing": self.signing})
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)

    def for_callers_of(self, endpoint: str, auth: str) -> Lock | None:
        """The lock that takes what an endpoint's setting says; None lets everybody in."""
        if auth == "none":
            return None
        return Lock(
            () if auth == "tokens" else self.digests,
            "" if auth == "keys" else self.signing,
            endpoint,
        )

    def admits(self, key: bytes) -> bool:
        """Whether a key or a token fits; the time taken tells nothing about any key."""
        if self.signing and b"." in key:
            return opens(key, self.signing, self.endpoint, time.time())
        found = sha256(key).digest()
        fits = False
        for digest in self.digests:
            fits |= hmac.compare_digest(found, digest)
        return fits


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _read(path: Path, value: object) -> bytes:
    if not isinstance(value, str) or len(value) < _SHORTEST:
        raise MalformedKeys(str(path), f"a key has fewer than {_SHORTEST} characters")
    if not value.startswith(_DIGEST):
        return _digest(value)
    found = bytes.fromhex(value.removeprefix(_DIGEST))
    if len(found) != sha256().digest_size:
        raise MalformedKeys(str(path), "a digest has the wrong length")
    return found
