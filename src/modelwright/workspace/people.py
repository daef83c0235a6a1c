"""People, and what lets them in: login tokens, sessions and API tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, or_, select, update

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import NotFound, TokenRejected
from modelwright.workspace.names import checked_name
from modelwright.workspace.records.people import ApiToken, Person, Session
from modelwright.workspace.rows import AnyRow, put

OWNER = "owner"
SESSION_LENGTH = timedelta(days=30)

# Written at most this often, so that a request need not wait for a writer's turn.
_SEEN_EVERY = timedelta(minutes=1)

_LOGIN, _SESSION, _API = "login token", "session", "API token"
_PREFIX = {_LOGIN: "mwl_", _SESSION: "mws_", _API: "mwa_"}

_P = tables.people.c
_T = tables.tokens.c


class People:
    """The people of a workspace; there is one, its owner, until others are added.

    Secrets of tokens and sessions are given once, when they are made; only their hashes are kept.
    """

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    def owner(self) -> Person:
        """Whom the workspace belongs to."""
        query = select(_P.id, _P.name, _P.created_at).where(_P.owner)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            with self._database.write() as connection:
                values = {"name": OWNER, "owner": True, "created_at": self._now()}
                put(connection, tables.people, values, {})
                row = connection.execute(query).one()
        return Person(*row)

    def create_login_token(
        self, *, expires_in: timedelta | None = None, replace: bool = False
    ) -> str:
        """A secret for the login address, for the owner.

        expires_in: it opens the door any number of times until then; None means always.
        replace: the login tokens made before open nothing any more.
        """
        with self._database.write() as connection:
            if replace:
                connection.execute(delete(tables.tokens).where(_T.kind == _LOGIN))
            return self._issue(connection, _LOGIN, self.owner(), "", expires_in)[0]

    def log_in(
        self, token: str, *, length: timedelta = SESSION_LENGTH, once: bool = False
    ) -> Session:
        """Open a session with a login token or an API token.  Raises TokenRejected.

        once: a login token opens nothing any more after this.
        """
        with self._database.write() as connection:
            person = self._admit(token, (_LOGIN, _API), _LOGIN)
            if once:
                spent = (_T.kind == _LOGIN, _T.hash == _hash(token))
                connection.execute(delete(tables.tokens).where(*spent))
            secret, expires_at = self._issue(connection, _SESSION, person, "", length)
        return Session(person, secret, expires_at or self._now() + length)

    def of_session(self, secret: str) -> Person:
        """Who holds this session.  Raises TokenRejected."""
        return self._admit(secret, (_SESSION,), _SESSION)

    def log_out(self, secret: str) -> None:
        """End a session; one that has ended stays so."""
        with self._database.write() as connection:
            connection.execute(
                delete(tables.tokens).where(_T.kind == _SESSION, _T.hash == _hash(secret))
            )

    def create_api_token(
        self, name: str, *, expires_in: timedelta | None = None
    ) -> tuple[str, ApiToken]:
        """A secret for a program, for the owner, and its entry in the list."""
        name = checked_name(name, _API)
        with self._database.write() as connection:
            secret, _ = self._issue(connection, _API, self.owner(), name, expires_in)
            row = connection.execute(_api_tokens().where(_T.hash == _hash(secret))).one()
        return secret, ApiToken(**row._mapping)

    def of_api_token(self, secret: str) -> Person:
        """Whose program this is.  Raises TokenRejected."""
        return self._admit(secret, (_API,), _API)

    def api_tokens(self) -> tuple[ApiToken, ...]:
        """The API tokens that were made and not revoked, the newest first."""
        query = _api_tokens().order_by(_T.created_at.desc(), _T.id.desc())
        with self._database.read() as connection:
            return tuple(ApiToken(**row._mapping) for row in connection.execute(query))

    def revoke_api_token(self, id: int) -> None:
        """Let an API token open nothing any more.  Raises NotFound."""
        with self._database.write() as connection:
            gone = connection.execute(
                delete(tables.tokens).where(_T.kind == _API, _T.id == id)
            ).rowcount
        if not gone:
            raise NotFound(_API, str(id))

    def _issue(
        self,
        connection: Connection,
        kind: str,
        person: Person,
        name: str,
        expires_in: timedelta | None,
    ) -> tuple[str, datetime | None]:
        now = self._now()
        # What has long expired is of no use to anyone, not even for a better message.
        connection.execute(
            delete(tables.tokens).where(_T.kind != _API, _T.expires_at < now - timedelta(days=1))
        )
        secret = _PREFIX[kind] + secrets.token_urlsafe(32)
        expires_at = None if expires_in is None else now + expires_in
        connection.execute(
            insert(tables.tokens),
            {
                "hash": _hash(secret),
                "kind": kind,
                "person_id": person.id,
                "name": name,
                "created_at": now,
                "expires_at": expires_at,
            },
        )
        return secret, expires_at

    def _admit(self, secret: str, kinds: tuple[str, ...], named: str) -> Person:
        now = self._now()
        query = (
            select(
                _P.id,
                _P.name,
                _P.created_at,
                _T.id.label("token_id"),
                _T.expires_at,
                _T.last_used_at,
            )
            .join(tables.people, _P.id == _T.person_id)
            .where(_T.hash == _hash(secret), _T.kind.in_(kinds))
        )
        with self._database.read() as connection:
            row: AnyRow | None = connection.execute(query).one_or_none()
        if row is None:
            raise TokenRejected(named, "not known")
        if row.expires_at is not None and row.expires_at <= now:
            raise TokenRejected(named, "expired")
        if row.last_used_at is None or now - row.last_used_at >= _SEEN_EVERY:
            with self._database.write() as connection:
                connection.execute(
                    update(tables.tokens)
                    .where(
                        _T.id == row.token_id,
                        or_(_T.last_used_at.is_(None), _T.last_used_at < now),
                    )
                    .values(last_used_at=now)
                )
        return Person(row.id, row.name, row.created_at)


def _api_tokens() -> Select[*tuple[Any, ...]]:
    return (
        select(
            _T.id,
            _T.name,
            _P.name.label("person"),
            _T.created_at,
            _T.expires_at,
            _T.last_used_at,
        )
        .join(tables.people, _P.id == _T.person_id)
        .where(_T.kind == _API)
    )


def _hash(secret: str) -> str:
    # One round suffices: the secrets are random, 256 bits, and cannot be guessed from a list.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
