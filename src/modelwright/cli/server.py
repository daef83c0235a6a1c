"""Keep the HTTP API up, until Ctrl-C or a signal to end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli.place import HomeOption, opened
from modelwright.cli.printing import put, tell

if TYPE_CHECKING:
    from modelwright.actions.home import Home

HostOption = Annotated[str, typer.Option(help="Address that the server listens on.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")]


def up(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8765,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", show_default=False, help="A further name it may be called by."
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            show_default=False,
            help="A web origin whose pages may make changes too, to develop the studio.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Start the server, and every endpoint that should answer."""
    from modelwright.actions.endpoints import revive_endpoints

    with opened(home) as here:
        for report in revive_endpoints(here):
            where = f" at {report.scoring_url}" if report.scoring_url else ""
            tell(f'Endpoint "{report.record.name}" is {report.state}{where}')
        stay_up(here, host, port, hosts=allow_host or (), origins=allow_origin or ())


def stay_up(
    home: Home, host: str, port: int, *, hosts: Iterable[str] = (), origins: Iterable[str] = ()
) -> None:
    """Serve a home until this process is asked to end; hosts and origins: as `serve` has them."""
    from modelwright.api.server import serve

    def ready(address: str) -> None:
        put(f"Modelwright is up; log in at {address}")
        tell("Press Ctrl-C to end; endpoints go on answering.")

    with _until_asked_to_end():
        serve(home, host, port, allowed_hosts=hosts, allowed_origins=origins, on_ready=ready)
    tell("Modelwright is down.")


@contextmanager
def _until_asked_to_end() -> Iterator[None]:
    """A signal to end is no mistake: what is under way is finished, and the program goes on here."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former: dict[int, Callable[[int, FrameType | None], object] | int | None] = {
        # The server takes the signals while it runs, and sends itself the one it got at its end.
        number: signal.signal(number, end)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
