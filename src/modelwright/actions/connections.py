"""Connections to places outside the workspace, and what pipelines may reach."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.components.places.connection import (
    CONNECTION,
    LARGEST_DOWNLOAD,
    REACH,
    Connection,
    Kind,
    Reach,
)
from modelwright.workspace.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from modelwright.actions.home import Home
    from modelwright.workspace.records.people import Secret

KINDS = ("files", "database")
"""Kinds of secrets that are connections of Import Data and Export Data."""

_REACH = "reach"
_OWN_FOLDER = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedConnection:
    """A connection without its secret values; keys: their names."""

    name: str
    kind: Kind
    url: str
    description: str
    keys: tuple[str, ...]
    changed_at: datetime


def add_connection(
    home: Home,
    name: str,
    url: str,
    *,
    values: Mapping[str, str] | None = None,
    description: str = "",
) -> NamedConnection:
    """Keep a connection, in place of one that has the name.

    url: of a database, a bucket or a folder.  values: what it asks for, such as a password or keys;
    they are sealed, as is a password in the URL.  Raises InvalidConnection and InvalidName.
    """
    made = Connection.of_url(name, url, values)
    stored = home.workspace.secrets.put(
        name, made.values, kind=made.kind, description=description, public={"url": made.url}
    )
    return _named(stored)


def list_connections(home: Home) -> tuple[NamedConnection, ...]:
    """Every connection without its secret values, by name."""
    return tuple(_named(s) for s in home.workspace.secrets.list() if s.kind in KINDS)


def delete_connection(home: Home, name: str) -> None:
    """Forget a connection for good.  Raises NotFound."""
    with home.workspace.transaction():
        if home.workspace.secrets.get(name).kind not in KINDS:
            raise NotFound("connection", name, [c.name for c in list_connections(home)])
        home.workspace.secrets.delete(name)


def show_reach(home: Home) -> Reach:
    """What pipelines may reach beside the public network and the connections.

    The first folder is the home's own; it is made when first asked for.
    """
    own = home.folder / _OWN_FOLDER
    own.mkdir(mode=0o700, exist_ok=True)
    kept = Reach.from_json(home.workspace.settings.get(_REACH, {}))
    return replace(kept, folders=(str(own), *(f for f in kept.folders if f != str(own))))


def allow(
    home: Home,
    *,
    folder: Path | None = None,
    host: str | None = None,
    largest_download: int | None = None,
) -> Reach:
    """Let pipelines use a folder of this machine, a host of the private network, or larger downloads."""
    return _change(
        home,
        folders=lambda known: _with(known, str(folder.expanduser().resolve()) if folder else None),
        hosts=lambda known: _with(known, host),
        largest_download=largest_download,
    )


def disallow(home: Home, *, folder: Path | None = None, host: str | None = None) -> Reach:
    """Take back what `allow` allowed."""
    gone = {str(folder.expanduser().resolve()), str(folder)} if folder else set()
    return _change(
        home,
        folders=lambda known: tuple(f for f in known if f not in gone),
        hosts=lambda known: tuple(h for h in known if h != host),
        largest_download=None,
    )


def told_to_steps(home: Home, name: str) -> str | None:
    """What a step learns when it asks for a connection or for its reach, as JSON; None for neither."""
    if name == REACH:
        return json.dumps(show_reach(home).to_json())
    if not name.startswith(CONNECTION):
        return None
    wanted = name.removeprefix(CONNECTION)
    try:
        secret = home.workspace.secrets.get(wanted)
    except NotFound:
        return None
    if secret.kind not in KINDS:
        return None
    values = home.workspace.secrets.reveal(wanted)
    url = str(secret.public.get("url", ""))
    kind: Kind = "database" if secret.kind == "database" else "files"
    return json.dumps(Connection(secret.name, kind, url, values).to_json())


def _named(secret: Secret) -> NamedConnection:
    return NamedConnection(
        name=secret.name,
        kind="database" if secret.kind == "database" else "files",
        url=str(secret.public.get("url", "")),
        description=secret.description,
        keys=secret.keys,
        changed_at=secret.changed_at,
    )


def _with(known: tuple[str, ...], new: str | None) -> tuple[str, ...]:
    return known if new is None or new in known else (*known, new)


def _change(home: Home, *, folders: Any, hosts: Any, largest_download: int | None) -> Reach:
    with home.workspace.transaction():
        kept = Reach.from_json(home.workspace.settings.get(_REACH, {}))
        changed = Reach(
            folders(kept.folders),
            hosts(kept.hosts),
            largest_download or kept.largest_download or LARGEST_DOWNLOAD,
        )
        home.workspace.settings.set(_REACH, changed.to_json())
    return show_reach(home)
