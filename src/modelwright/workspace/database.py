"""Connections and transactions, alike on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, Pool, create_engine, event

from modelwright.workspace.failures import busy, mendable

_WRITING = "modelwright_writing"


class Database:
    """One database.  Safe to use from many threads; a forked child gets connections of its own."""

    def __init__(self, url: URL, *, busy_timeout_s: float = 30) -> None:
        """busy_timeout_s: how long to wait for a turn to write."""
        self.url = url
        self.busy_timeout_s = busy_timeout_s
        self.shown = shown(url)
        self.sqlite = url.get_backend_name() == "sqlite"
        self.engine = _engine(self)
        # SQLite writers of one process queue here: its own waiting is by polling, and unfair.
        self._writer = threading.RLock()
        self._current: ContextVar[tuple[int, Connection] | None] = ContextVar(
            "current", default=None
        )
        self._parents: Pool | None = None
        _in_child(self)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of SQLite, or the running transaction of this thread."""
        running = self._running()
        if running is not None:
            yield running
            return
        with mendable(self.shown, self.url), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it is stored at the end, or nothing when an exception leaves it.

        Within another one of the same thread it becomes a part of that.
        """
        running = self._running()
        if running is not None:
            with running.begin_nested():
                yield running
            return
        with mendable(self.shown, self.url), self._turn(), self.engine.connect() as connection:
            connection.execution_options(**{_WRITING: True})
            with connection.begin():
                mark = self._current.set((threading.get_ident(), connection))
                try:
                    yield connection
                finally:
                    self._current.reset(mark)

    def close(self) -> None:
        """Close every connection; SQLite then folds its write-ahead log into the file."""
        self.engine.dispose()

    def _running(self) -> Connection | None:
        # A context is copied into threads started from it; its connection must not be.
        current = self._current.get()
        return current[1] if current and current[0] == threading.get_ident() else None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self.sqlite:
            yield
            return
        writer = self._writer
        if not writer.acquire(timeout=self.busy_timeout_s):
            raise busy(self.shown)
        try:
            yield
        finally:
            writer.release()

    def start_over_in_child(self) -> None:
        """Leave the parent's connections alone after a fork: they are the parent's."""
        # Kept, since to collect it would close them.
        self._parents = self.engine.pool
        self.engine.dispose(close=False)
        self._writer = threading.RLock()
        self._current = ContextVar("current", default=None)


def shown(url: URL) -> str:
    """The database as messages name it: a file, or a URL without its password."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return url.set(query={}).render_as_string(hide_password=True)


def use_write_ahead_log(database: Database) -> None:
    """Turn on SQLite's write-ahead log, once for the file; readers then never wait for a writer."""
    if not database.sqlite:
        return
    deadline = time.monotonic() + database.busy_timeout_s
    with mendable(database.shown, database.url):
        while True:
            try:
                with database.engine.connect() as connection:
                    driver = _driver(connection)
                    if driver.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                        driver.execute("PRAGMA journal_mode = WAL")
                    return
            except sqlite3.OperationalError as error:
                # SQLite does not wait here by itself when another process does the same.
                locked = error.sqlite_errorcode & 0xFF in (
                    sqlite3.SQLITE_BUSY,
                    sqlite3.SQLITE_LOCKED,
                )
                if not locked or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def without_foreign_keys(database: Database) -> Engine:
    """An engine for migrations, which rebuild tables that others point to."""
    if not database.sqlite:
        return database.engine
    engine = _sqlite_engine(database, poolclass=NullPool)
    event.listen(engine, "connect", lambda driver, _: driver.execute("PRAGMA foreign_keys = OFF"))
    return engine.execution_options(**{_WRITING: True})


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"not a connection to SQLite: {driver!r}")
    return driver


def _engine(database: Database) -> Engine:
    if not database.sqlite:
        return _postgres_engine(database)
    return _sqlite_engine(database, pool_size=4, max_overflow=60)


def _sqlite_engine(database: Database, **pool: Any) -> Engine:
    arguments = {"timeout": database.busy_timeout_s}
    engine = create_engine(database.url, connect_args=arguments, **pool)

    @event.listens_for(engine, "connect")
    def prepare(driver: sqlite3.Connection, _: Any) -> None:
        # Python's driver would begin transactions on its own, too late and of the wrong kind.
        driver.isolation_level = None
        driver.execute("PRAGMA foreign_keys = ON")
        driver.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: one that reads first and then writes may be refused
        # without waiting, since the state it read is no longer the last.
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgres_engine(database: Database) -> Engine:
    # Without it the driver waits for a dead server as long as the system does: minutes.
    arguments = {} if "connect_timeout" in database.url.query else {"connect_timeout": 10}
    engine = create_engine(
        database.url, connect_args=arguments, pool_size=4, max_overflow=20, pool_pre_ping=True
    )
    busy_timeout_ms = int(database.busy_timeout_s * 1000)

    @event.listens_for(engine, "connect")
    def prepare(driver: Any, _: Any) -> None:
        with driver.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {busy_timeout_ms}")
        driver.commit()

    return engine


def _in_child(database: Database) -> None:
    if not hasattr(os, "register_at_fork"):
        return
    known = weakref.ref(database)

    def start_over() -> None:
        if (alive := known()) is not None:
            alive.start_over_in_child()

    os.register_at_fork(after_in_child=start_over)
