"""Answers of an endpoint that are not scores: documents, health, refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from modelwright.data.errors import ModelwrightError

Headers = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"


class Answer:
    """A whole answer to an HTTP request."""

    __slots__ = ("body", "closes", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        *,
        kind: bytes = JSON,
        headers: Headers = (),
        closes: bool = False,
    ) -> None:
        """closes: the connection ends after it."""
        self.status = status
        self.body = body
        self.closes = closes
        self.headers: Headers = (
            (b"content-type", kind),
            (b"content-length", str(len(body)).encode()),
            *headers,
        )


class Refusal(Exception):
    """A request is answered with an error; `answer` is what its sender gets."""

    def __init__(
        self,
        status: int,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        headers: Headers = (),
        closes: bool = False,
    ) -> None:
        super().__init__(message)
        body = error_body(status, message, details or {})
        self.answer = Answer(status, body, headers=headers, closes=closes)

    @classmethod
    def of(cls, status: int, body: bytes) -> Refusal:
        """The refusal whose body was written elsewhere, as by a scoring process."""
        refusal = cls(status, "")
        refusal.answer = Answer(status, body)
        return refusal


def error_body(status: int, message: str, details: Mapping[str, Any]) -> bytes:
    """The one shape of every error: {"error": {"code", "message", "details"}}."""
    return orjson.dumps(
        {"error": {"code": status, "message": message, "details": details}},
        default=str,
        option=orjson.OPT_NON_STR_KEYS,
    )


def refused(error: ModelwrightError, status: int = HTTPStatus.BAD_REQUEST) -> Refusal:
    """The refusal that tells the sender of a request what to mend."""
    return Refusal(status, str(error), {"code": error.code, "remedy": error.remedy, **error.fields})


def unauthorized(*, given: bool) -> Refusal:
    """401: no key, or a wrong one."""
    what = "The key is not one of this endpoint's." if given else "The request carries no key."
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        f"{what} Send the header: Authorization: Bearer KEY.",
        {"code": "wrong-key" if given else "no-key"},
        headers=((b"www-authenticate", b'Bearer realm="modelwright"'),),
    )


def not_found(path: str, known: Iterable[str]) -> Refusal:
    """404: nothing is served under the path."""
    return Refusal(
        HTTPStatus.NOT_FOUND,
        f"Nothing is served at {path}.",
        {"code": "unknown-path", "known": list(known)},
    )


def method_not_allowed(method: str, allowed: tuple[str, ...]) -> Refusal:
    """405: the path is served, but not for this verb."""
    verbs = ", ".join(allowed)
    return Refusal(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"HTTP Method Not Supported: {method}. Use {verbs}.",
        {"code": "method-not-allowed", "allowed": list(allowed)},
        headers=((b"allow", verbs.encode()),),
    )


def body_too_slow(seconds: float) -> Refusal:
    """408: the body did not arrive in time."""
    return Refusal(
        HTTPStatus.REQUEST_TIMEOUT,
        f"The body of the request did not arrive within {seconds:g} s.",
        {"code": "slow-body"},
        closes=True,
    )


def body_too_large(limit: int) -> Refusal:
    """413: the body is over the limit."""
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body of the request is larger than {limit // 1_000_000} MB. Send fewer rows at a time.",
        {"code": "body-too-large", "limit": limit},
        closes=True,
    )


def unexpected(reference: str) -> Refusal:
    """500: our mistake; the log has the rest under the reference."""
    return Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"Internal Server Error. The endpoint's log tells more under the reference {reference}.",
        {"code": "internal-error", "reference": reference},
    )


def overloaded(waited_ms: int) -> Refusal:
    """503: no replica became free within the wait."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"No replica became free within {waited_ms} ms. Try again, or raise max_replicas.",
        {"code": "overloaded"},
        headers=((b"retry-after", b"1"),),
    )


def not_ready(why: str) -> Refusal:
    """503: nothing is deployed, or it is not ready."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        why,
        {"code": "not-ready"},
        headers=((b"retry-after", b"1"),),
    )


def out_of_memory(gigabytes: float) -> Refusal:
    """400: scoring took more memory than a process may have, and what scored was ended."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"Scoring this request took more memory than the {gigabytes:g} GB that its deployment reserves. "
        "Send fewer rows, or raise memory_reserve_gb.",
        {"code": "scoring-out-of-memory", "memory_reserve_gb": gigabytes},
    )


def timed_out(limit_ms: int) -> Refusal:
    """504: scoring took longer than allowed."""
    return Refusal(
        HTTPStatus.GATEWAY_TIMEOUT,
        f"Scoring took longer than {limit_ms} ms. Send fewer rows, or raise scoring_timeout_ms.",
        {"code": "scoring-timeout", "limit_ms": limit_ms},
    )
