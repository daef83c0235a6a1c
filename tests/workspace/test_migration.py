from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, text
from sqlalchemy.engine import Engine

from modelwright.workspace import Workspace, migration, tables
from modelwright.workspace.errors import DatabaseFull, ForeignDatabase, NewerDatabase
from tests.workspace.conftest import OpenWorkspace


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(workspace: Workspace) -> None:
    with workspace.database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migration.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, tables.metadata) == []
        assert set(inspect(connection).get_table_names()) == {
            *tables.metadata.tables,
            migration.VERSION_TABLE,
        }


def test_the_head_that_the_code_names_is_the_newest_migration() -> None:
    folder = Path(migration.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == migration.HEAD


def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    open_workspace: OpenWorkspace,
) -> None:
    workspace = open_workspace()
    workspace.settings.set("language", "fr")
    with workspace.database.write() as connection:
        connection.execute(text("UPDATE modelwright_revision SET version_num = '9999'"))

    with pytest.raises(NewerDatabase) as caught:
        open_workspace()
    assert caught.value.fields["revision"] == "9999"
    assert "newer" in str(caught.value)
    assert workspace.settings.get("language") == "fr"


def test_a_database_of_another_program_is_refused_and_left_alone(
    home: Path, database_url: str | None, open_workspace: OpenWorkspace
) -> None:
    workspace = open_workspace()
    with workspace.database.write() as connection:
        connection.execute(text("DROP TABLE modelwright_revision"))
        connection.execute(text("INSERT INTO people VALUES (7, 'Ada', true, '2026-01-01')"))
        for table in reversed(tables.metadata.sorted_tables):
            if table.name not in ("people", "settings"):
                connection.execute(text(f"DROP TABLE {table.name}"))

    with pytest.raises(ForeignDatabase) as caught:
        open_workspace()
    assert caught.value.fields["tables"] == ["people", "settings"]
    with workspace.database.read() as connection:
        assert connection.scalar(text("SELECT name FROM people")) == "Ada"
        assert sorted(inspect(connection).get_table_names()) == ["people", "settings"]


def test_tables_of_another_program_under_other_names_are_no_hindrance(
    home: Path,
) -> None:
    home.mkdir()
    with sqlite3.connect(home / "modelwright.db") as other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT)")
    other.close()

    with Workspace.open(home) as workspace:
        assert workspace.drafts.list().total == 0


def test_a_disk_that_fills_up_while_tables_are_made_leaves_none(home: Path) -> None:
    def limit(driver: sqlite3.Connection, _: object) -> None:
        driver.execute("PRAGMA max_page_count = 20")

    event.listen(Engine, "connect", limit)
    try:
        with pytest.raises(DatabaseFull):
            Workspace.open(home)
    finally:
        event.remove(Engine, "connect", limit)

    with sqlite3.connect(home / "modelwright.db") as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == []
    database.close()
    with Workspace.open(home) as workspace:
        assert workspace.drafts.list().total == 0
