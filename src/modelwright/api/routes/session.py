"""Who is logged in, and whether the server is up."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from modelwright.api.access import Caller, cookie_name, opened, remember_session, session_cookie
from modelwright.api.here import HereDep
from modelwright.api.shapes.shape import Asked, Done, Moment, Shape
from modelwright.workspace.errors import TokenRejected

open_router = APIRouter(tags=["session"])
"""What anyone may ask without being logged in."""

router = APIRouter(tags=["session"])


class Health(Shape):
    """The server is up."""

    status: str
    version: str


class Login(Asked):
    """What opens a session."""

    token: Annotated[str, Field(min_length=1, max_length=500)]
    """From the login address, or an API token."""


class Session(Shape):
    """Who is logged in, and what the studio must know of the server."""

    person: str
    version: str
    expires_at: Moment | None
    """Null for a program with an API token, and for a session opened earlier."""
    largest_upload: int
    """Bytes."""


@open_router.get("/health")
def get_health() -> Health:
    """Tell that the server is up."""
    return Health(status="ok", version=version("modelwright"))


@open_router.post("/session")
def log_in(login: Login, request: Request, response: Response, here: HereDep) -> Session:
    """Open a session with the token of a login address, which then opens nothing any more.

    The session comes back as a cookie that scripts of a page cannot read.
    """
    if request.headers.get("origin") is not None:
        here.doors.check_origin(request)
    session = here.workspace.people.log_in(login.token.strip(), once=True)
    remember_session(request, response, here, session)
    return Session(
        person=session.person.name,
        version=version("modelwright"),
        expires_at=session.expires_at,
        largest_upload=here.uploads.largest,
    )


@router.get("/session")
def get_session(caller: Caller, here: HereDep) -> Session:
    """Who is logged in."""
    return Session(
        person=caller.name,
        version=version("modelwright"),
        expires_at=None,
        largest_upload=here.uploads.largest,
    )


@router.delete("/session")
def log_out(request: Request, response: Response, here: HereDep) -> Done:
    """End the session of the cookie."""
    if cookie := session_cookie(request):
        with suppress(TokenRejected):
            here.workspace.people.log_out(opened(here, cookie))
        response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")
    return Done()
