"""The workspace: one home folder and one database."""

from __future__ import annotations

import errno
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from modelwright.workspace.clock import Clock, utc_now
from modelwright.workspace.errors import DatabaseFull, HomeUnusable, UnsupportedDatabase

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

    from modelwright.workspace.database import Database

DATABASE_FILE = "modelwright.db"
KEY_FILE = "secret.key"


class Workspace:
    """Everything that is remembered, opened by `Workspace.open`.

    Safe to use from many threads and processes at once; the values it gives are frozen.
    """

    def __init__(
        self,
        home: Path,
        database: Database,
        *,
        store_url: str,
        now: Clock,
    ) -> None:
        # SQL is loaded by opening a workspace, not by importing this package.
        from modelwright.workspace.clusters import Clusters
        from modelwright.workspace.datasets import Datasets
        from modelwright.workspace.drafts import Drafts
        from modelwright.workspace.endpoints import Endpoints
        from modelwright.workspace.models import Models
        from modelwright.workspace.people import People
        from modelwright.workspace.runs import Runs
        from modelwright.workspace.sealing import Seal
        from modelwright.workspace.secret_store import Secrets
        from modelwright.workspace.settings import Settings

        seal = Seal(home / KEY_FILE)
        self.home = home
        self.store_url = store_url
        self.now = now
        self.database = database
        self.drafts = Drafts(database, now)
        self.runs = Runs(database, now)
        self.datasets = Datasets(database, now)
        self.models = Models(database, now)
        self.clusters = Clusters(database, now)
        self.endpoints = Endpoints(database, now, seal)
        self.people = People(database, now)
        self.secrets = Secrets(database, now, seal)
        self.settings = Settings(database, now)

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        database_url: str | None = None,
        store_url: str | None = None,
        now: Clock = utc_now,
    ) -> Self:
        """Open the workspace of a home folder; make or migrate it when needed.

        database_url: a PostgreSQL URL; the file `modelwright.db` in the home unless given.
        store_url: where artifacts are kept, a folder or an fsspec URL; `store` in the home unless
        given.
        Raises HomeUnusable, DatabaseUnavailable, DatabaseFull, NewerDatabase, ForeignDatabase and
        UnsupportedDatabase.
        """
        from modelwright.workspace.database import Database
        from modelwright.workspace.migration import bring_up_to_date

        home = Path(home).expanduser().absolute()
        url = _url(database_url, home)
        _prepare(home, home / DATABASE_FILE if database_url is None else None)
        database = Database(url)
        try:
            bring_up_to_date(database)
        except BaseException:
            database.close()
            raise
        return cls(home, database, store_url=store_url or str(home / "store"), now=now)

    def transaction(self) -> AbstractContextManager[Connection]:
        """Make several changes one: `with workspace.transaction(): …` stores all or nothing.

        Others wait for it, so neither await nor wait within.
        """
        return self.database.write()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _url(given: str | None, home: Path) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.engine import URL
    from sqlalchemy.exc import ArgumentError

    if given is None:
        return URL.create("sqlite+pysqlite", database=str(home / DATABASE_FILE))
    try:
        url = make_url(given)
    except ArgumentError:
        raise UnsupportedDatabase(
            "(not shown)", "its URL cannot be read", remedy="Write postgresql://USER@HOST/NAME."
        ) from None
    scheme = url.drivername.partition("+")[0]
    shown = url.set(query={}).render_as_string(hide_password=True)
    if scheme == "sqlite":
        if not url.database or url.database == ":memory:":
            raise UnsupportedDatabase(
                shown,
                "a database in memory remembers nothing",
                remedy="Give the path of a file, or no URL at all.",
            )
        return url.set(drivername="sqlite+pysqlite")
    if scheme not in ("postgresql", "postgres"):
        raise UnsupportedDatabase(
            shown,
            "only SQLite and PostgreSQL are",
            remedy="Write postgresql://USER@HOST/NAME, or give no URL at all for SQLite.",
        )
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise UnsupportedDatabase(
            shown,
            "the PostgreSQL driver is not installed",
            remedy="Install it with: pip install 'modelwright[postgres]'.",
        ) from None
    return url.set(drivername="postgresql+psycopg")


def _prepare(home: Path, database: Path | None) -> None:
    from modelwright.workspace.private_files import keep_private_file
    from modelwright.workspace.sealing import new_key

    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        keep_private_file(home / KEY_FILE, new_key())
        if database is not None:
            # SQLite gives its other files the rights of this one.
            keep_private_file(database, b"")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DatabaseFull(str(home)) from error
        raise HomeUnusable(str(home), error.strerror or str(error)) from error
