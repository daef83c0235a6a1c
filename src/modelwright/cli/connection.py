"""Commands about connections, and about what pipelines may reach."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, tell
from modelwright.data.errors import ModelwrightError

app = typer.Typer(no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The connection's name.")
]
FolderOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", show_default=False, help="A folder of this machine."),
]
HostOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST", show_default=False, help="A name, an address or a network of addresses."
    ),
]


class MalformedValue(ModelwrightError):
    """A value of a connection is not of the form KEY=VALUE."""

    code = "malformed-value"

    def __init__(self, text: str) -> None:
        super().__init__(
            f'The value "{text}" has no name and text with = between them.',
            remedy="Write --value KEY=VALUE, such as --value key=AKIA….",
            text=text,
        )


@app.command()
def add(
    name: NameArgument,
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            show_default=False,
            help="postgresql://USER@HOST/NAME, s3://BUCKET/FOLDER, a folder …",
        ),
    ],
    value: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            show_default=False,
            help="What it asks for, such as key and secret; sealed.  May be given again.",
        ),
    ] = None,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for the password, so that no list shows it.")
    ] = False,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is.")] = "",
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Keep a connection for Import Data and Export Data, in place of one that has the name."""
    from modelwright.actions.connections import add_connection

    values = dict(_pair(text) for text in value or ())
    if password:
        values["password"] = typer.prompt("Password", hide_input=True, err=True)
    with opened(home) as here:
        made = add_connection(here, name, url, values=values, description=description)
    if json:
        put_json(made)
        return
    tell(f'Connection "{made.name}" leads to {made.url}.')


@app.command("list")
def list_(json: JsonOption = False, home: HomeOption = None) -> None:
    """List the connections; their secret values are never shown."""
    from modelwright.actions.connections import list_connections

    with opened(home) as here:
        found = list_connections(here)
    if json:
        put_json(found)
        return
    put_table(
        ("NAME", "KIND", "URL", "SEALED", "DESCRIPTION"),
        ((c.name, c.kind, c.url, ", ".join(c.keys), c.description) for c in found),
    )


@app.command()
def delete(name: NameArgument, home: HomeOption = None) -> None:
    """Forget a connection for good."""
    from modelwright.actions.connections import delete_connection

    with opened(home) as here:
        delete_connection(here, name)
    tell(f'Connection "{name}" is forgotten.')


@app.command()
def allow(
    folder: FolderOption = None,
    host: HostOption = None,
    largest: Annotated[
        int | None,
        typer.Option(min=1, metavar="BYTES", show_default=False, help="Of one downloaded file."),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Let pipelines use a folder of this machine or a host of the private network.

    Without an option it shows what they may reach.
    """
    from modelwright.actions.connections import allow as allow_reach

    with opened(home) as here:
        reach = allow_reach(here, folder=folder, host=host, largest_download=largest)
    if json:
        put_json(reach)
        return
    put(f"Folders: {', '.join(reach.folders)}")
    put(f"Hosts of the private network: {', '.join(reach.hosts) or 'none'}")
    put(f"Largest download: {reach.largest_download} bytes")


@app.command()
def disallow(folder: FolderOption = None, host: HostOption = None, home: HomeOption = None) -> None:
    """Take back what was allowed."""
    from modelwright.actions.connections import disallow as disallow_reach

    with opened(home) as here:
        disallow_reach(here, folder=folder, host=host)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise MalformedValue(text)
    return name.strip(), value
