"""Who is asking: a person by the session in a cookie, or a program by its API token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie, HTTPBearer

from modelwright.api.here import Here, HereDep
from modelwright.data.errors import ModelwrightError
from modelwright.workspace.errors import SecretKeyMismatch, TokenRejected
from modelwright.workspace.records.people import Person, Session

COOKIE = "modelwright_session"
SAFE = ("GET", "HEAD", "OPTIONS")

# For the OpenAPI document alone: `caller` reads both itself.
_COOKIE_SCHEME = APIKeyCookie(
    name=COOKIE,
    scheme_name="session",
    auto_error=False,
    description="Set by POST /api/session; its name ends with the server's port.",
)
_TOKEN_SCHEME = HTTPBearer(
    scheme_name="token", auto_error=False, description="An API token of the workspace."
)


class LoginRequired(ModelwrightError):
    """A request says nothing of who is asking."""

    code = "login-required"

    def __init__(self) -> None:
        super().__init__(
            "You are not logged in.",
            remedy="Open the login address that `modelwright up` prints; scripts send the header "
            "Authorization: Bearer TOKEN.",
        )


def caller(
    request: Request,
    here: HereDep,
    _cookie: Annotated[object, Depends(_COOKIE_SCHEME)] = None,
    _token: Annotated[object, Depends(_TOKEN_SCHEME)] = None,
) -> Person:
    """Who is asking.  Raises LoginRequired, TokenRejected, and CrossOrigin for a change by cookie."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return here.workspace.people.of_api_token(token.strip())
    if cookie := session_cookie(request):
        if request.method not in SAFE:
            here.doors.check_origin(request)
        return here.workspace.people.of_session(opened(here, cookie))
    raise LoginRequired


Caller = Annotated[Person, Depends(caller)]


def cookie_name(request: Request) -> str:
    """The name of the session's cookie.

    Browsers share cookies among the ports of a host, so two servers need two names.
    """
    server = request.scope.get("server") or ("", None)
    return f"{COOKIE}_{server[1]}" if server[1] else COOKIE


def session_cookie(request: Request) -> str | None:
    """The sealed session that a browser sent."""
    return request.cookies.get(cookie_name(request))


def opened(here: Here, cookie: str) -> str:
    """The session's secret from its cookie.  Raises TokenRejected for one that was not made here."""
    try:
        return here.seal.open(cookie, what="The session")
    except SecretKeyMismatch:
        raise TokenRejected("session", "not known") from None


def remember_session(request: Request, response: Response, here: Here, session: Session) -> None:
    """Send the session to the browser as a signed cookie that scripts of a page cannot read."""
    response.set_cookie(
        cookie_name(request),
        here.seal.close(session.secret),
        max_age=_seconds_until(session.expires_at, here),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )


def _seconds_until(moment: datetime, here: Here) -> int:
    return max(int((moment - here.workspace.now()).total_seconds()), 0)
