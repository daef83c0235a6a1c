from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from modelwright.workspace import Workspace, migration, tables
from modelwright.workspace.errors import DatabaseFull, ForeignDatabase, NewerDatabase
from modelwright.workspace.records.runs import NewStep
from tests.workspace.conftest import OpenWorkspace

# A revision such as a later version may bring; SQLite makes the table anew for it, to which others point.
NEXT = """
from alembic import op

revision = "{revision}"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("person", new_column_name="started_by")
    {more}
"""


def with_next_revision(tmp_path: Path, *, more: str = "") -> migration.History:
    folder = tmp_path / "history 100%"
    shutil.copytree(migration.HISTORY.folder, folder)
    (folder / "versions" / "revision_next.py").write_text(
        NEXT.format(revision="next", head=migration.HEAD, more=more)
    )
    return migration.History(folder, "next")


def test_a_migration_loses_no_row_of_the_tables_that_point_to_the_one_it_makes_anew(
    workspace: Workspace, tmp_path: Path
) -> None:
    run = workspace.runs.create(
        "Tutorial", graph="", person="Ada", steps=[NewStep(node="a", component="SplitData")]
    )

    migration.bring_up_to_date(workspace.database, history=with_next_revision(tmp_path))

    with workspace.database.read() as connection:
        assert connection.scalar(text("SELECT started_by FROM runs")) == "Ada"
        assert connection.scalar(text("SELECT version_num FROM modelwright_revision")) == "next"
    assert [step.node for step in workspace.runs.steps.list(run.id)] == ["a"]
    with pytest.raises(IntegrityError), workspace.database.write() as connection:
        connection.execute(text("UPDATE steps SET run_id = 'none'"))


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    workspace: Workspace, tmp_path: Path
) -> None:
    run = workspace.runs.create("Tutorial", graph="", person="Ada")
    history = with_next_revision(tmp_path, more="op.execute('SELECT no_such_column FROM runs')")

    with pytest.raises(DBAPIError):
        migration.bring_up_to_date(workspace.database, history=history)

    assert workspace.runs.get(run.id) == run
    migration.bring_up_to_date(workspace.database)


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
    scripts = ScriptDirectory(str(migration.HISTORY.folder))
    assert scripts.get_current_head() == migration.HISTORY.head == migration.HEAD


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
