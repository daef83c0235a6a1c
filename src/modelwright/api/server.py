"""Start the HTTP server."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI

from modelwright.actions.datasets import add_samples
from modelwright.actions.home import Home
from modelwright.actions.tending import tended
from modelwright.api.app import create_app
from modelwright.api.guard import Doors
from modelwright.api.here import Here
from modelwright.api.uploads import LARGEST
from modelwright.api.whereabouts import told
from modelwright.serve.errors import AddressTaken
from modelwright.targets.local import LocalProcesses

HOST = "127.0.0.1"
PORT = 8765

_PATIENCE_S = 5
_LARGEST_LOG = 5_000_000


def serve(
    home: Home,
    host: str = HOST,
    port: int = PORT,
    *,
    allowed_hosts: Iterable[str] = (),
    allowed_origins: Iterable[str] = (),
    largest_upload: int = LARGEST,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve a home until the process is asked to end; returns when all is shut down.

    port: 0 for any that is free.  allowed_hosts: further names under which it may be called.
    allowed_origins: web origins beside its own whose pages may make changes, for developing the
    studio.  on_ready: told the login address once it answers; the address opens one session, and
    the ones printed before open none any more.
    Raises AddressTaken.
    """
    line = listen(host, port)
    doors = Doors.of(host, names=allowed_hosts, origins=allowed_origins)
    app = create_app(home, doors=doors, largest_upload=largest_upload)
    token = home.workspace.people.create_login_token(replace=True)
    taken = line.getsockname()[1]
    address = login_address(host, taken, token)

    def ready() -> None:
        if on_ready is not None:
            on_ready(address)
        _warm_up(home)
        add_samples(home, large=True)

    log_file = home.folder / "logs" / "server.log"
    with log_kept(log_file), tended(home), told(home.folder, host, taken):
        ApiServer(app, ready).run(sockets=[line])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address.  Raises AddressTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind((host, port))
        line.listen(128)
    except OSError as error:
        line.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(host, port) from None
        raise
    return line


def address_of(host: str, port: int) -> str:
    """The address at which a browser on this machine finds the server."""
    shown = {"0.0.0.0": HOST, "::": "::1"}.get(host, host)  # noqa: S104  # read, not bound
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def login_address(host: str, port: int, token: str) -> str:
    """The address that logs a browser in; the token stands where no server ever sees it in a log."""
    return f"{address_of(host, port)}/login#token={quote(token)}"


@contextmanager
def log_kept(path: Path) -> Iterator[None]:
    """Keep what the program logs in a file too, turned over before it grows large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_LARGEST_LOG, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("modelwright")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()


def _warm_up(home: Home) -> None:
    """Load what the first check needs, and start what the first run needs, before anyone asks."""
    workers = home.workers()
    if isinstance(workers, LocalProcesses):
        workers.warm(1, wait=False)
    len(home.library)


class ApiServer(uvicorn.Server):
    """Runs the application on sockets; streams of events end first when it is asked to end.

    on_ready: called once it answers.
    """

    def __init__(self, app: FastAPI, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_PATIENCE_S,
            )
        )
        self._here: Here = app.state.here
        self._on_ready = on_ready

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second interrupt ends at once."""
        super().handle_exit(sig, frame)
        # Else the signal is raised again in the end, before the home is closed.
        self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if not self.should_exit:
            await asyncio.to_thread(self._on_ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way, then end."""
        # Streams of events never end by themselves, and would hold the server up.
        self._here.stopping.set()
        await super().shutdown(sockets)
