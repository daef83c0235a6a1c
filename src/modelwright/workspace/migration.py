"""Bring a database to the tables that this version knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.sql import column, table

from modelwright.workspace.database import Database, use_write_ahead_log, without_foreign_keys
from modelwright.workspace.errors import ForeignDatabase, NewerDatabase
from modelwright.workspace.failures import mendable
from modelwright.workspace.tables import metadata

HEAD = "0003"
"""The newest revision, so that an up-to-date database opens without loading Alembic."""

# Not Alembic's own name: another program may keep its revisions in the same schema.
VERSION_TABLE = "modelwright_revision"

_LOCK = 0x6D6F64656C  # "model"; any number does, if it is always the same


@dataclass(frozen=True)
class History:
    """A folder of revisions, and which one is the newest."""

    folder: Path
    head: str


HISTORY = History(Path(__file__).parent / "migrations", HEAD)


def bring_up_to_date(database: Database, *, history: History = HISTORY) -> None:
    """Create or migrate the tables when needed, all or nothing.

    Whoever opens at the same time waits, then finds it done.
    Raises NewerDatabase and ForeignDatabase, and has then changed nothing.
    """
    use_write_ahead_log(database)
    with database.read() as connection:
        if _revision(connection) == history.head:
            return
    engine = without_foreign_keys(database)
    with mendable(database.shown, database.url), engine.connect() as connection, connection.begin():
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        found = _revision(connection)
        if found == history.head:
            return
        _refuse(connection, found, history, database.shown)
        _upgrade(connection, history)
        if database.sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"a migration left rows without their parents: {broken[:5]}")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))


def _refuse(connection: Connection, found: str | None, history: History, shown: str) -> None:
    if found is None:
        others = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
        if others:
            raise ForeignDatabase(shown, others)
        return
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(history.folder)).walk_revisions()}
    if found not in known:
        raise NewerDatabase(shown, revision=found, known=history.head)


def _upgrade(connection: Connection, history: History) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads "%" in a path as the start of a placeholder.
    config.set_main_option("script_location", str(history.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, "head")
