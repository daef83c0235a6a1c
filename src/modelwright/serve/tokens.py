"""Short-lived tokens that open one endpoint: JSON Web Tokens signed with the endpoint's own key.

Source: RFC 7519 and RFC 7515, with the one algorithm HS256; a token that names another is refused.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from modelwright.serve.errors import InvalidSetting

LONGEST_S = 86_400
"""The longest life of a token: a day."""

_HEAD = b'{"alg":"HS256","typ":"JWT"}'
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Token:
    """A token.  expires_at and refresh_at: seconds since 1970; after the latter, ask for another one."""

    value: str = field(repr=False)
    expires_at: int
    refresh_at: int


def issue(signing: str, endpoint: str, *, seconds: int, now: float) -> Token:
    """A token that opens an endpoint for so many seconds.  Raises InvalidSetting."""
    if not 1 <= seconds <= LONGEST_S:
        raise InvalidSetting("seconds", seconds, f"a whole number from 1 to {LONGEST_S}")
    begins, ends = int(now), int(now) + seconds
    claims = {
        "aud": endpoint.lower(),
        "iat": begins,
        "exp": ends,
        "jti": secrets.token_urlsafe(9),
    }
    body = _encoded(_HEAD) + b"." + _encoded(json.dumps(claims).encode())
    value = (body + b"." + _encoded(_signature(signing, body))).decode()
    return Token(value, ends, begins + seconds * 2 // 3)


def opens(token: bytes, signing: str, endpoint: str, now: float) -> bool:
    """Whether a token was signed with the key, for this endpoint, and is still good."""
    if len(token) > _LONGEST or token.count(b".") != 2:
        return False
    body, _, signature = token.rpartition(b".")
    try:
        if not hmac.compare_digest(_signature(signing, body), _decoded(signature)):
            return False
        head, _, claims = body.partition(b".")
        if json.loads(_decoded(head)).get("alg") != "HS256":
            return False
        found: dict[str, Any] = json.loads(_decoded(claims))
        return bool(found["aud"] == endpoint.lower() and now < found["exp"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _signature(signing: str, body: bytes) -> bytes:
    return hmac.new(signing.encode(), body, sha256).digest()


def _encoded(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
