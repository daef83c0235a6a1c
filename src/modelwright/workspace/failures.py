"""Tell failures of the database that people can mend from our own mistakes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from modelwright.data.errors import ModelwrightError
from modelwright.workspace.errors import DatabaseFull, DatabaseUnavailable

_ROOM = 1 << 20

_SQLITE = {
    sqlite3.SQLITE_PERM: ("the system refuses access to it", "Give yourself the right to it."),
    sqlite3.SQLITE_READONLY: ("it is read-only", "Make the file and its folder writable."),
    sqlite3.SQLITE_IOERR: ("the disk failed", "Check the disk, then try again."),
    sqlite3.SQLITE_CANTOPEN: (
        "the file cannot be opened",
        "Check that its folder exists and that you may write there.",
    ),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "Restore it from a backup."),
    sqlite3.SQLITE_NOTADB: (
        "the file is not a database",
        "Move it away, or restore it from a backup.",
    ),
}

# By the first two characters of PostgreSQL's code, or by all of it.
_POSTGRES = {
    "08": ("the connection was lost", "Check that the server runs, then try again."),
    "28": ("the server refuses the user", "Check the user and the password in the URL."),
    "3D": ("the server has no such database", "Create it, or mend the URL."),
    "42501": ("the user lacks a right", "Grant the user the right to create and write tables."),
    "25006": ("it is read-only", "Give the address of the primary server."),
    "53": ("the server is short of resources", "Try again when it is less busy."),
    "57": ("the server is shutting down or starting", "Try again when it runs."),
    "58": ("the server's disk failed", "Check the server's disk."),
    "XX": ("the server found damaged data", "Restore the database from a backup."),
}
_POSTGRES_BUSY = ("55P03", "40P01", "40001")


def busy(database: str) -> DatabaseUnavailable:
    """The error for a turn to write that never came."""
    return DatabaseUnavailable(
        database,
        "others kept writing to it and left no turn",
        remedy="Try again; if it stays so, end the program that holds it.",
    )


@contextmanager
def mendable(database: str, url: URL) -> Iterator[None]:
    """Turn what people can mend into a ModelwrightError; anything else passes as it is."""
    try:
        yield
    except StatementError as error:
        if isinstance(error.orig, ModelwrightError):
            raise error.orig from None
        mended = _from_driver(error.orig, database, url)
        if mended is None and isinstance(error, DBAPIError) and error.connection_invalidated:
            mended = DatabaseUnavailable(
                database,
                "the connection was lost",
                remedy="Check that the server runs, then try again.",
            )
        if mended is None:
            raise
        raise mended from error
    except sqlite3.Error as error:
        mended = _from_driver(error, database, url)
        if mended is None:
            raise
        raise mended from error
    except NoConnectionLeft as error:
        raise DatabaseUnavailable(
            database,
            "every connection is in use",
            remedy="Try again when fewer requests are being answered.",
        ) from error


def _from_driver(error: Any, database: str, url: URL) -> ModelwrightError | None:
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, database, url)
    if url.get_backend_name() == "postgresql":
        return _from_postgres(error, database)
    return None


def _from_sqlite(error: sqlite3.Error, database: str, url: URL) -> ModelwrightError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DatabaseFull(database)
    # A full disk shows as a failed disk where SQLite grows its shared index.
    if code == sqlite3.SQLITE_IOERR and url.database:
        folder = Path(url.database).absolute().parent
        if folder.is_dir() and shutil.disk_usage(folder).free < _ROOM:
            return DatabaseFull(database)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(database)
    if code in _SQLITE:
        reason, remedy = _SQLITE[code]
        return DatabaseUnavailable(database, reason, remedy=remedy)
    return None


def _from_postgres(error: Any, database: str) -> ModelwrightError | None:
    import psycopg

    state = getattr(error, "sqlstate", None)
    if state is None:
        if not isinstance(error, psycopg.OperationalError):
            return None
        # The server was not reached; the driver's first line says how.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        return DatabaseUnavailable(
            database,
            f"the server cannot be reached ({reason})",
            remedy="Check the address, and that the server runs.",
        )
    if state == "53100":
        return DatabaseFull(database)
    if state in _POSTGRES_BUSY:
        return busy(database)
    known = _POSTGRES.get(state) or _POSTGRES.get(state[:2])
    return DatabaseUnavailable(database, known[0], remedy=known[1]) if known else None
