"""Endpoints: names that answer requests, and what is wanted of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.deployments import Deployments
from modelwright.workspace.errors import NameTaken
from modelwright.workspace.names import checked_endpoint_name
from modelwright.workspace.records.clusters import DEFAULT_CLUSTER
from modelwright.workspace.records.endpoints import (
    DesiredState,
    Endpoint,
    EndpointKeys,
    EndpointState,
    KeyName,
)
from modelwright.workspace.rows import AnyRow, endpoint_row
from modelwright.workspace.sealing import Seal
from modelwright.workspace.uses import forget_uses_of_endpoint

_E = tables.endpoints.c
_SHOWN = (
    "name",
    "description",
    "tags",
    "desired",
    "state",
    "message",
    "address",
    "cluster",
    "owner",
    "created_at",
    "changed_at",
)


class Endpoints:
    """The endpoints of a workspace; upper and lower case make no difference in their names."""

    def __init__(self, database: Database, now: Clock, seal: Seal) -> None:
        self._database = database
        self._now = now
        self._seal = seal
        self.deployments = Deployments(database, now)

    def create(
        self,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        desired: DesiredState = DesiredState.RUNNING,
        cluster: str = DEFAULT_CLUSTER,
        owner: str | None = None,
    ) -> Endpoint:
        """Add an endpoint with two new keys and no deployment.

        cluster: where it is to run.  Raises InvalidName and NameTaken.
        """
        name = checked_endpoint_name(name)
        now = self._now()
        values = {
            "name": name,
            "name_key": name.lower(),
            "description": description,
            "tags": dict(tags or {}),
            "primary_key": self._seal.close(_new_key()),
            "secondary_key": self._seal.close(_new_key()),
            "desired": desired,
            "state": EndpointState.TRANSITIONING,
            "message": "",
            "last_number": 0,
            "cluster": cluster,
            "owner": owner,
            "created_at": now,
            "changed_at": now,
        }
        with self._database.write() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(insert(tables.endpoints), values)
            except IntegrityError:
                raise NameTaken(
                    "endpoint", name, remedy="Choose another name, or deploy to that endpoint."
                ) from None
            return _endpoint(endpoint_row(connection, name))

    def get(self, name: str) -> Endpoint:
        """One endpoint.  Raises NotFound with the names that are near."""
        with self._database.read() as connection:
            return _endpoint(endpoint_row(connection, name))

    def list(self) -> tuple[Endpoint, ...]:
        """Every endpoint, by name."""
        query = select(tables.endpoints).order_by(_E.name_key)
        with self._database.read() as connection:
            return tuple(_endpoint(row) for row in connection.execute(query))

    def describe(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Endpoint:
        """Change what people say of it; None leaves as it is."""
        values: dict[str, Any] = {}
        if description is not None:
            values["description"] = description
        if tags is not None:
            values["tags"] = dict(tags)
        return self._change(name, values)

    def want(self, name: str, desired: DesiredState) -> Endpoint:
        """Say what it is wanted to be; its controller makes it so."""
        return self._change(name, {"desired": desired})

    def report(
        self,
        name: str,
        state: EndpointState,
        *,
        message: str = "",
        address: Mapping[str, Any] | None = None,
    ) -> Endpoint:
        """Say what its controller sees; address None means that it answers nowhere."""
        seen = {"state": state, "message": message, "address": address}
        return self._change(name, seen)

    def keys(self, name: str) -> EndpointKeys:
        """Both keys.  Raises SecretKeyMismatch."""
        with self._database.read() as connection:
            row = endpoint_row(connection, name)
        what = f'The keys of endpoint "{row.name}"'
        return EndpointKeys(
            self._seal.open(row.primary_key, what=what),
            self._seal.open(row.secondary_key, what=what),
        )

    def regenerate_key(self, name: str, which: KeyName) -> EndpointKeys:
        """Replace one key; the other stays as it is."""
        with self._database.write():
            self._change(name, {f"{which.value}_key": self._seal.close(_new_key())})
            return self.keys(name)

    def signing_key(self, name: str) -> str:
        """What the endpoint's short-lived tokens are signed with.  Raises SecretKeyMismatch."""
        with self._database.write() as connection:
            row = endpoint_row(connection, name, lock=True)
            if row.signing_key is not None:
                what = f'The signing key of endpoint "{row.name}"'
                return self._seal.open(row.signing_key, what=what)
            key = _new_key()
            self._change(name, {"signing_key": self._seal.close(key)})
            return key

    def renew_signing_key(self, name: str) -> str:
        """Replace what tokens are signed with; every token given out so far opens nothing."""
        key = _new_key()
        self._change(name, {"signing_key": self._seal.close(key)})
        return key

    def put_back_keys(self, name: str, keys: EndpointKeys, signing: str) -> None:
        """Have the keys that there were before, and what tokens were signed with."""
        found = {"primary_key": keys.primary, "secondary_key": keys.secondary}
        closed = {
            column: self._seal.close(key)
            for column, key in {**found, "signing_key": signing}.items()
        }
        self._change(name, closed)

    def move(self, name: str, cluster: str) -> Endpoint:
        """Say on which cluster it runs."""
        return self._change(name, {"cluster": cluster})

    def delete(self, name: str) -> None:
        """Forget an endpoint, its keys and its deployments for good."""
        with self._database.write() as connection:
            row = endpoint_row(connection, name, lock=True)
            forget_uses_of_endpoint(connection, row.name_key)
            connection.execute(delete(tables.endpoints).where(_E.id == row.id))

    def _change(self, name: str, values: Mapping[str, Any]) -> Endpoint:
        with self._database.write() as connection:
            row = endpoint_row(connection, name, lock=True)
            if any(row._mapping[key] != value for key, value in values.items()):
                connection.execute(
                    update(tables.endpoints)
                    .where(_E.id == row.id)
                    .values(**values, changed_at=self._now())
                )
            return _endpoint(endpoint_row(connection, name))


def _new_key() -> str:
    return secrets.token_urlsafe(32)


def _endpoint(row: AnyRow) -> Endpoint:
    return Endpoint(**{name: row._mapping[name] for name in _SHOWN})
