"""What every request passes before any route: whose address it names, how much it may send."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelwright.api.errors import LARGEST_BODY, BodyTooLarge, error_reply, unexpected_reply
from modelwright.data.errors import ModelwrightError

UPLOADS = "/api/uploads/"

CONTENT_SECURITY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        # The studio's component library and code editor write their styles at run time.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class UnknownHost(ModelwrightError):
    """A request names a host under which this server is not known."""

    code = "unknown-host"

    def __init__(self, host: str) -> None:
        super().__init__(
            f'This server is not known under the name "{host}".',
            remedy="Use the address it prints when it starts, or start it with --allow-host "
            "and this name.",
            host=host,
        )


class CrossOrigin(ModelwrightError):
    """A web page of another origin asks for a change in the name of who is logged in."""

    code = "cross-origin-request"

    def __init__(self, origin: str | None) -> None:
        whose = f"from {origin}" if origin else "that does not say where it comes from"
        super().__init__(
            f"A change was asked for by a page {whose}.",
            remedy="Use the studio at this server's own address; scripts use an API token instead "
            "of a cookie.",
            origin=origin,
        )


@dataclass(frozen=True)
class Doors:
    """Under which names the server may be called.

    loopback: it listens to this machine only.  names: further host names, in lower case.
    origins: web origins beside its own whose pages may make changes, for developing the studio.
    """

    loopback: bool
    names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, host: str, *, names: Iterable[str] = (), origins: Iterable[str] = ()) -> Doors:
        """The doors of a server that listens on `host`."""
        loopback = host == "localhost" or _is_loopback(host)
        own = set() if loopback else {socket.gethostname(), socket.getfqdn()}
        if not _address(host):
            own.add(host)
        return cls(
            loopback,
            frozenset(n.lower() for n in {*own, *names}),
            frozenset(o.lower().rstrip("/") for o in origins),
        )

    def check_host(self, host: str | None) -> None:
        """Raise UnknownHost for a name that is not this server's.

        A page of an attacker can make a name of its own lead to this machine, but not make the
        browser send another name; an address written in digits cannot be made to lead elsewhere.
        """
        name = _name(host or "")
        if name == "localhost" or name in self.names:
            return
        if _is_loopback(name) if self.loopback else _address(name):
            return
        raise UnknownHost(host or "")

    def check_origin(self, request: Request) -> None:
        """Raise CrossOrigin unless a page of this server, or a trusted one, asks."""
        origin = request.headers.get("origin")
        if origin is None:
            if request.headers.get("sec-fetch-site") == "same-origin":
                return
            raise CrossOrigin(None)
        # A proxy may speak TLS for us, so the schemes may differ.
        own = urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
        if not own and origin.lower() not in self.origins:
            raise CrossOrigin(origin)


class Guard:
    """Refuses hosts that are not ours and bodies that are too large; adds security headers.

    It is also the rim: an exception that nobody knows ends here, in the log and as a reference.
    """

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self.app = app
        self.doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer in its route's place."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def protect(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            headers = Headers(scope=scope)
            self.doors.check_host(headers.get("host"))
            limited = self._limited(scope, headers, receive)
            await self.app(scope, limited, protect)
        except ModelwrightError as error:
            if begun:
                raise
            await error_reply(error)(scope, receive, protect)
        except ClientDisconnect:
            # Whoever sent half a body is not there to be answered.
            return
        except Exception as error:  # noqa: BLE001  # the rim: kept in the log under a reference
            answer = unexpected_reply(error, f"{scope['method']} {scope['path']}")
            if not begun:
                await answer(scope, receive, protect)

    def _limited(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        if scope["path"].startswith(UPLOADS):
            return receive
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > LARGEST_BODY:
            raise BodyTooLarge(LARGEST_BODY)
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY:
                # Reading a body hides every other kind of error.
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        return counted


def _name(host: str) -> str:
    """The name or address in a Host header, without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _address(name) and ipaddress.ip_address(name).is_loopback
