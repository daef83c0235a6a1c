"""Settings of the studio, tokens of programs, connections, compute and storage."""

from __future__ import annotations

import shutil
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from modelwright.actions.connections import (
    add_connection,
    delete_connection,
    list_connections,
    show_reach,
)
from modelwright.api.here import HereDep
from modelwright.api.shapes.settings import (
    ApiToken,
    Connection,
    CreatedToken,
    KindUsage,
    NewConnection,
    NewSecret,
    NewToken,
    Reach,
    Secret,
    Settings,
    SettingsChange,
    Storage,
)
from modelwright.api.shapes.shape import Done, Listed

router = APIRouter(tags=["settings"])

# The workspace keeps settings of other parts as well, which are nobody's business here.
_PREFIX = "studio:"

TokenId = Annotated[int, Path(ge=1, le=2**31 - 1)]
SecretName = Annotated[str, Path(min_length=1, max_length=200)]


@router.get("/settings")
def get_settings(here: HereDep) -> Settings:
    """Every value that was set."""
    known = here.workspace.settings.all()
    values = {n.removeprefix(_PREFIX): v for n, v in known.items() if n.startswith(_PREFIX)}
    return Settings(values=values)


@router.patch("/settings")
def change_settings(change: SettingsChange, here: HereDep) -> Settings:
    """Set some values, all or none; null takes one away."""
    with here.workspace.transaction():
        for name, value in change.values.items():
            if value is None:
                here.workspace.settings.remove(_PREFIX + name)
            else:
                here.workspace.settings.set(_PREFIX + name, value)
    return get_settings(here)


@router.get("/tokens")
def list_tokens(here: HereDep) -> Listed[ApiToken]:
    """The API tokens that were made and not revoked, the newest first."""
    return Listed[ApiToken](items=[ApiToken.of(t) for t in here.workspace.people.api_tokens()])


@router.post("/tokens", status_code=HTTPStatus.CREATED)
def create_token(new: NewToken, here: HereDep) -> CreatedToken:
    """Make an API token; its secret is shown this once."""
    length = None if new.days is None else timedelta(days=new.days)
    secret, token = here.workspace.people.create_api_token(new.name, expires_in=length)
    return CreatedToken(secret=secret, token=ApiToken.of(token))


@router.delete("/tokens/{token_id}")
def revoke_token(token_id: TokenId, here: HereDep) -> Done:
    """Let an API token open nothing any more."""
    here.workspace.people.revoke_api_token(token_id)
    return Done()


@router.get("/secrets")
def list_secrets(here: HereDep) -> Listed[Secret]:
    """Every connection without its secret values, by name."""
    return Listed[Secret](items=[Secret.of(s) for s in here.workspace.secrets.list()])


@router.put("/secrets/{name:path}")
def put_secret(name: SecretName, new: NewSecret, here: HereDep) -> Secret:
    """Store a connection, in place of one that has the name."""
    stored = here.workspace.secrets.put(
        name, new.values, kind=new.kind, description=new.description, public=new.public
    )
    return Secret.of(stored)


@router.delete("/secrets/{name:path}")
def delete_secret(name: SecretName, here: HereDep) -> Done:
    """Forget a connection for good."""
    here.workspace.secrets.delete(name)
    return Done()


@router.get("/connections")
def get_connections(here: HereDep) -> Listed[Connection]:
    """Every connection of Import Data and Export Data without its secret values, by name."""
    return Listed[Connection](items=[Connection.of(c) for c in list_connections(here.home)])


@router.put("/connections/{name:path}")
def put_connection(name: SecretName, new: NewConnection, here: HereDep) -> Connection:
    """Keep a connection, in place of one that has the name."""
    made = add_connection(here.home, name, new.url, values=new.values, description=new.description)
    return Connection.of(made)


@router.delete("/connections/{name:path}")
def remove_connection(name: SecretName, here: HereDep) -> Done:
    """Forget a connection for good."""
    delete_connection(here.home, name)
    return Done()


@router.get("/reach")
def get_reach(here: HereDep) -> Reach:
    """What pipelines may reach beside the public network and the connections.

    It is changed where the server runs, with modelwright connection allow.
    """
    found = show_reach(here.home)
    return Reach(
        folders=list(found.folders),
        hosts=list(found.hosts),
        largest_download=found.largest_download,
    )


@router.get("/storage")
def get_storage(here: HereDep) -> Storage:
    """What the store takes by kind, and what is left on the disk."""
    used = here.home.store.usage()
    return Storage(
        store=here.workspace.store_url,
        kinds=[
            KindUsage(kind=kind, count=found.count, size=found.size)
            for kind, found in used.kinds.items()
        ],
        steps=used.steps,
        quarantine=used.quarantine,
        temporary=used.temporary,
        free=shutil.disk_usage(here.home.folder).free,
    )
