"""Commands about tokens of programs, and the address that logs a browser in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, tell

app = typer.Typer(no_args_is_help=True)

IdArgument = Annotated[
    int, typer.Argument(metavar="ID", min=1, show_default=False, help="As the list has it.")
]


@app.command()
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", show_default=False, help="Of the program.")
    ],
    days: Annotated[
        int | None,
        typer.Option(
            min=1, max=3650, metavar="N", show_default=False, help="Days it is good for; always."
        ),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make a token for a program, such as the Python client; it is shown this once."""
    length = None if days is None else timedelta(days=days)
    with opened(home) as here:
        secret, token = here.workspace.people.create_api_token(name, expires_in=length)
    if json:
        put_json({"secret": secret, "token": token})
        return
    put(secret)
    tell("It is shown this once; programs send it as: Authorization: Bearer TOKEN.")


@app.command("list")
def list_(json: JsonOption = False, home: HomeOption = None) -> None:
    """List the tokens of programs, the newest first."""
    with opened(home) as here:
        tokens = here.workspace.people.api_tokens()
    if json:
        put_json(tokens)
        return
    put_table(
        ("ID", "NAME", "MADE", "EXPIRES", "LAST USED"),
        ((t.id, t.name, t.created_at, t.expires_at, t.last_used_at) for t in tokens),
        right=("ID",),
    )


@app.command()
def revoke(token: IdArgument, home: HomeOption = None) -> None:
    """Let a token open nothing any more."""
    with opened(home) as here:
        here.workspace.people.revoke_api_token(token)
    tell(f"Token {token} opens nothing any more.")


def login(
    host: Annotated[
        str | None,
        typer.Option(
            show_default=False, help="Address of a server, instead of the one that is up."
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, show_default=False, help="Its port.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Print an address that logs one more browser in to the server that is up."""
    from modelwright.api.server import HOST, PORT, login_address
    from modelwright.api.whereabouts import server_of

    with opened(home) as here:
        if host is None and port is None:
            host, port = server_of(here.folder)
        token = here.workspace.people.create_login_token()
        put(login_address(host or HOST, port or PORT, token))
    tell("It opens one session.")
