"""How errors leave over HTTP: one JSON shape for all, and the status each code has."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from modelwright.data.errors import ModelwrightError

log = logging.getLogger(__name__)

STATUSES: Mapping[HTTPStatus, tuple[str, ...]] = {
    HTTPStatus.BAD_REQUEST: ("invalid-cursor", "invalid-range"),
    HTTPStatus.UNAUTHORIZED: ("login-required", "token-rejected"),
    HTTPStatus.FORBIDDEN: ("cross-origin-request",),
    HTTPStatus.NOT_FOUND: (
        "missing-artifact",
        "no-output",
        "no-such-file",
        "not-found",
        "unknown-artifact",
        "unknown-component",
        "unknown-endpoint",
        "unknown-path",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed",),
    HTTPStatus.CONFLICT: (
        "compute-busy",
        "edit-conflict",
        "endpoint-busy",
        "in-use",
        "name-taken",
        "unschedulable",
        "wrong-state",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("body-too-large", "upload-too-large"),
    HTTPStatus.MISDIRECTED_REQUEST: ("unknown-host",),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "corrupt-artifact",
        "foreign-database",
        "internal-error",
        "newer-database",
        "newer-store",
        "secret-key-mismatch",
    ),
    HTTPStatus.BAD_GATEWAY: ("endpoint-unreachable",),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "database-unavailable",
        "no-workers",
        "store-read-only",
        "store-unavailable",
    ),
    HTTPStatus.INSUFFICIENT_STORAGE: ("database-full", "no-room", "store-full"),
}
"""The status of each code; every other code is 422: the request was understood, and is at fault."""

LARGEST_BODY = 32_000_000
"""Bytes of a body that a route reads into memory; uploads go to disk and have their own limit."""

_BY_CODE = {code: status for status, codes in STATUSES.items() for code in codes}


class InvalidRequest(ModelwrightError):
    """What was sent is not of the form that the route takes."""

    code = "invalid-request"

    def __init__(self, faults: Sequence[Mapping[str, Any]]) -> None:
        first = faults[0] if faults else {"at": "", "message": "it cannot be read"}
        where = f' at "{first["at"]}"' if first["at"] else ""
        line = f" (line {first['line']}, column {first['column']})" if "line" in first else ""
        more = f" There are {len(faults) - 1} more faults." if len(faults) > 1 else ""
        super().__init__(
            f"The request is not valid{where}{line}: {first['message']}.{more}",
            remedy="Mend what is named in the field faults, and send it again.",
            faults=[dict(fault) for fault in faults],
        )


class UnknownPath(ModelwrightError):
    """Nothing is served at an address."""

    code = "unknown-path"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"Nothing is served at {path}.",
            remedy="See /api/openapi.json for the addresses there are.",
            path=path,
        )


class MethodNotAllowed(ModelwrightError):
    """An address is served, but not for the verb that was used."""

    code = "method-not-allowed"

    def __init__(self, method: str, path: str, allowed: str) -> None:
        super().__init__(
            f"{method} cannot be used on {path}.",
            remedy=f"Use {allowed}." if allowed else "See /api/openapi.json.",
            method=method,
            path=path,
            allowed=allowed,
        )


class BodyTooLarge(ModelwrightError):
    """A body is over what a route reads into memory."""

    code = "body-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The body of the request is larger than {limit // 1_000_000} MB.",
            remedy="Send data as an upload; a pipeline this large should be split.",
            limit=limit,
        )


def status_of(error: ModelwrightError) -> HTTPStatus:
    """The HTTP status with which an error leaves."""
    return _BY_CODE.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)


def error_reply(
    error: ModelwrightError, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The response that tells of an error the caller can mend."""
    status = status_of(error)
    extra = dict(headers or {})
    if status is HTTPStatus.UNAUTHORIZED:
        extra.setdefault("WWW-Authenticate", 'Bearer realm="modelwright"')
    # As text first: fields may hold what the strict encoder of responses refuses.
    body = json.loads(json.dumps(error.to_json(), default=str), parse_constant=lambda _: None)
    return JSONResponse({"error": body}, status_code=status, headers=extra)


def unexpected_reply(error: Exception, request: str) -> JSONResponse:
    """The response that tells of a mistake of ours; the log has the rest under its reference."""
    reference = secrets.token_hex(4)
    log.error("%s failed, reference %s", request, reference, exc_info=error)
    happened = f"Something went wrong inside Modelwright (reference {reference})."
    remedy = "This is our mistake, not yours; logs/server.log in the home has the details."
    body = {
        "code": "internal-error",
        "message": f"{happened} {remedy}",
        "happened": happened,
        "remedy": remedy,
        "fields": {},
        "reference": reference,
    }
    return JSONResponse({"error": body}, status_code=HTTPStatus.INTERNAL_SERVER_ERROR)


def handle_errors(app: FastAPI) -> None:
    """Let every error of an app's routes leave in our shape."""

    @app.exception_handler(ModelwrightError)
    async def mendable(request: Request, error: ModelwrightError) -> JSONResponse:
        return error_reply(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_reply(InvalidRequest([_fault(f, error.body) for f in error.errors()]))

    @app.exception_handler(HTTPException)
    async def by_the_framework(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = headers.get("Allow", "")
            refused = MethodNotAllowed(request.method, request.url.path, allowed)
            return error_reply(refused, headers=headers)
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return error_reply(BodyTooLarge(LARGEST_BODY), headers=headers)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return error_reply(UnknownPath(request.url.path))
        return error_reply(InvalidRequest([{"at": "", "message": str(error.detail).rstrip(".")}]))


def _fault(found: Mapping[str, Any], sent: object) -> dict[str, Any]:
    """A fault as the validation found it, with its place: a field, or a line of the text sent."""
    place = [str(part) for part in found["loc"]]
    if found["type"] == "json_invalid" and isinstance(sent, str):
        before = sent[: found["loc"][-1]]
        return {
            "at": place[0],
            "message": f"it is no JSON: {found['ctx']['error'].lower()}",
            "line": before.count("\n") + 1,
            "column": len(before) - (before.rfind("\n") + 1) + 1,
        }
    message = str(found["msg"]).removeprefix("Value error, ").rstrip(".")
    return {"at": ".".join(place), "message": message[:1].lower() + message[1:]}
